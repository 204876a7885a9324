"""One line a request: method, route, status, milliseconds. Never query, body, client or token."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

#: Asked every few seconds by supervisors: worth a line only when it fails.
_QUIET = "/health"


class AccessLog:
    """Logs the route's pattern, not the path: the path of an unsubscribe link is a key to somebody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and writes its line when the answer is complete or has failed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            _write(scope, status, (time.monotonic() - started) * 1000)


def _write(scope: Scope, status: int, milliseconds: float) -> None:
    pattern = getattr(scope.get("route"), "path", "(no route)")
    level = logging.DEBUG if pattern.startswith(_QUIET) and status == 200 else logging.INFO  # noqa: PLR2004
    _log.log(level, "%s %s %d %.0f ms", scope["method"], pattern, status, milliseconds)
