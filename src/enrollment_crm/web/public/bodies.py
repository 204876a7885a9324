"""Bodies of requests as bytes: bounded in size while they arrive, and in the time that they may take."""

import asyncio
from http import HTTPStatus

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

#: From the end of the head to the end of the body. Slow networks of phones are faster; only a client that holds a
#: connection on purpose is not.
PATIENCE_IN_SECONDS = 20.0


class BodyNotTaken(HTTPException):
    """The body is too large, takes too long, or ended in the middle. The detail tells the sender what to change."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        # What is left of the body is not read: the connection cannot be used for another request.
        super().__init__(status, detail, headers={"Connection": "close"})


async def read_body(request: Request, *, at_most: int, too_large: str) -> bytes:
    """The whole body.

    Args:
        request: its body has not been read.
        at_most: bytes; not one more is kept in memory than what the network delivers at once.
        too_large: the words for a sender of more.

    Raises:
        BodyNotTaken: 413, 408, or 400 to a client that has gone.
    """
    if _announced_length(request) > at_most:
        raise BodyNotTaken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_IN_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > at_most:
                    raise BodyNotTaken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
    except TimeoutError:
        words = "The body took too long to arrive. Please send it again."
        raise BodyNotTaken(HTTPStatus.REQUEST_TIMEOUT, words) from None
    except ClientDisconnect:
        # Nobody hears the answer; it is one all the same, so that no trace of a fault is logged.
        raise BodyNotTaken(HTTPStatus.BAD_REQUEST, "The body ended in the middle.") from None
    return bytes(body)


def _announced_length(request: Request) -> int:
    """Bytes, by the head of the request; 0 where it does not say."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - 64 bits
