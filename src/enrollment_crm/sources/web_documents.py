"""Documents of the public web, as bytes: fetched whole, within limits, of the expected kind, or not at all."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from enrollment_crm.sources.feed_errors import FeedRefusedError, FeedUnreachableError, FeedUnreadableError
from enrollment_crm.sources.web_sessions import NO_ADDRESS, failure_in_words, host_of, web_session

#: The real pages have about 300 kB.
_MOST_BYTES = 8 * 1024 * 1024
_PIECE_IN_BYTES = 64 * 1024
#: Many short waits are a long one: a server that drips is given up after this.
_LONGEST_READING_IN_SECONDS = 120


@dataclass(frozen=True)
class WebDocument:
    """What an address answered; ``url`` is where it was found in the end, ``charset`` what the answer names."""

    url: str
    content: bytes
    charset: str | None


def place(url: str) -> str:
    """The address for words and logs: without user, query and fragment, where secrets travel."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "The address"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def fetch_document(
    url: str,
    *,
    kinds: tuple[str, ...],
    timeout_in_seconds: float,
    longest_reading_in_seconds: float = _LONGEST_READING_IN_SECONDS,
) -> WebDocument:
    """The whole document at this address.

    Args:
        url: ``http`` or ``https``; up to five redirects are followed.
        kinds: content types that are taken, such as ``text/html``.
        timeout_in_seconds: for the connection, and for each wait for a further part of the answer.
        longest_reading_in_seconds: for all parts together.

    Raises:
        FeedUnreachableError: no answer, a busy or broken server, or an answer that breaks off or never ends.
        FeedRefusedError: the address is none, or leads nowhere; the status says that it must be corrected.
        FeedUnreadableError: the answer is too big, or of another kind.
    """
    if not host_of(url):
        raise FeedRefusedError(f"{place(url)} is no web address: write one with https:// into calendar_sources.")
    with web_session() as session:
        session.headers["Accept"] = ", ".join(kinds)
        try:
            with session.get(url, timeout=timeout_in_seconds, stream=True) as answer:
                _check_status(answer, url)
                _check_kind(answer, url, kinds)
                content = _body(answer, url, longest_reading_in_seconds)
                return WebDocument(answer.url, content, answer.encoding if _names_charset(answer) else None)
        except requests.exceptions.TooManyRedirects:
            raise FeedRefusedError(
                f"{place(url)} leads from one address to the next without end: open it in a browser, "
                "and write the address that is shown into calendar_sources."
            ) from None
        except (requests.exceptions.InvalidSchema, *NO_ADDRESS):
            raise _leads_nowhere(url) from None
        except requests.exceptions.RequestException as error:
            failure = failure_in_words(error, timeout_in_seconds)
            raise FeedUnreachableError(f"{place(url)} cannot be read: {failure}. It is tried again.") from None
        except ValueError:  # an address that is none, in the answer
            raise _leads_nowhere(url) from None


def _leads_nowhere(url: str) -> FeedRefusedError:
    return FeedRefusedError(f"{place(url)} leads to something that is no web address: correct it in calendar_sources.")


def _check_status(answer: requests.Response, url: str) -> None:
    status = answer.status_code
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise FeedUnreachableError(f"{place(url)} answers {status}. It is tried again.")
    raise FeedRefusedError(
        f"{place(url)} answers {status}: open it in a browser, and correct the address in calendar_sources."
    )


def _check_kind(answer: requests.Response, url: str, kinds: tuple[str, ...]) -> None:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    # Some servers name none; then the content has to show what it is.
    if kind and kind not in kinds:
        raise FeedUnreadableError(
            f"{place(url)} sends {kind[:64]} where {' or '.join(kinds)} was expected: "
            "check that the address in calendar_sources is the right one and needs no login."
        )


def _names_charset(answer: requests.Response) -> bool:
    # Without one, requests assumes ISO 8859-1 for each text, which hides what the document says of itself.
    return "charset=" in answer.headers.get("Content-Type", "").lower()


def _body(answer: requests.Response, url: str, longest_in_seconds: float) -> bytes:
    content = bytearray()
    given_up_at = time.monotonic() + longest_in_seconds
    for piece in answer.iter_content(_PIECE_IN_BYTES):
        content += piece
        if len(content) > _MOST_BYTES:
            raise FeedUnreadableError(
                f"{place(url)} sends more than {_MOST_BYTES // 1024**2} MiB, which no page or calendar needs: "
                "check the address in calendar_sources."
            )
        if time.monotonic() > given_up_at:
            raise FeedUnreachableError(f"{place(url)} is not read to its end within {longest_in_seconds:g} s.")
    return bytes(content)
