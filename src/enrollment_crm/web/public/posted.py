"""What a client posts, as a row of strings: bounded in size, storable, and otherwise as it came."""

import json
import re
from collections.abc import AsyncGenerator
from http import HTTPStatus
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from starlette.formparsers import MultiPartException, MultiPartParser

from enrollment_crm.web.public.bodies import read_body

MAX_BODY_IN_BYTES = 64 * 1024
MAX_FIELDS = 60

#: PostgreSQL stores neither NUL nor half a surrogate pair; U+FFFD keeps visible that something stood there.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnreadableForm(HTTPException):
    """The body is no form, or full of fields. The detail tells the sender what to change."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(status, detail)


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of the posted form; a name that occurs twice holds both values, separated by ", ".

    Raises:
        UnreadableForm: 415 or 400.
        BodyNotTaken: 413, 408 or 400.
    """
    too_large = f"The form is larger than {MAX_BODY_IN_BYTES // 1024} KB. Please shorten your answers."
    body = await read_body(request, at_most=MAX_BODY_IN_BYTES, too_large=too_large)
    pairs = await _pairs(request, body)
    if len(pairs) > MAX_FIELDS:
        raise _too_many_fields()
    fields: dict[str, str] = {}
    for name, value in ((_storable(name), _storable(value)) for name, value in pairs):
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


async def _pairs(request: Request, body: bytes) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if kind == "multipart/form-data":
        return await _multipart(request, body)
    if kind == "application/json":
        return _json(body)
    raise UnreadableForm(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Send a form (application/x-www-form-urlencoded, multipart/form-data) or a JSON object.",
    )


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise _too_many_fields() from None


async def _multipart(request: Request, body: bytes) -> list[tuple[str, str]]:
    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=0, max_fields=MAX_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise UnreadableForm(
            HTTPStatus.BAD_REQUEST, "The form could not be read: it is broken, too long, or has a file in it."
        ) from error
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _json(body: bytes) -> list[tuple[str, str]]:
    try:
        document = json.loads(body)
        return [(name, _as_text(value)) for name, value in document.items()]
    except (ValueError, AttributeError, RecursionError):
        words = "The body is not a JSON object. Send one with the names of the form's fields."
        raise UnreadableForm(HTTPStatus.BAD_REQUEST, words) from None


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _too_many_fields() -> UnreadableForm:
    words = f"The form has more than {MAX_FIELDS} fields. Please send fewer."
    return UnreadableForm(HTTPStatus.BAD_REQUEST, words)
