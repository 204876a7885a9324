"""Headers that tell a browser what our pages may do: nothing but show themselves and post to us."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT_POLICY = "; ".join((
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
))  # fmt: skip

_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    # The address of an unsubscribe page is a key: it goes to nobody.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # A cached page would hand the same one-time token to two people.
    "Cache-Control": "no-store",
}
_STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}

#: Static files are addressed by a digest of their bytes: they never change.
_KEEP_FOR_EVER = "public, max-age=31536000, immutable"


class SecurityHeaders:
    """Adds the headers to every answer, errors and static files included."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = {**_HEADERS, **(_STRICT_TRANSPORT if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and completes the head of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        keep = scope["path"].startswith("/static/") and b"v=" in scope["query_string"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message, self._headers, keep=keep and message["status"] == 200)  # noqa: PLR2004
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _add(message: Message, headers: Mapping[str, str], *, keep: bool) -> None:
    answer = MutableHeaders(scope=message)
    # What an answer says of its own keeping holds: a calendar feed is kept by its reader alone, and asked for again.
    own = answer.get("Cache-Control", headers["Cache-Control"])
    answer.update(headers)
    answer["Cache-Control"] = own
    if keep:
        answer["Cache-Control"] = _KEEP_FOR_EVER
