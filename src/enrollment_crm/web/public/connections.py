"""Connections that are not held on purpose: a head of a request must be whole in time, and of some size.

Uvicorn waits for ever for the rest of a head, and keeps all of it; ``bodies`` bounds time and size of a body. Run the
app with ``--http enrollment_crm.web.public.connections:PatientProtocol``.
"""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

#: From the beginning of a connection, or of its next request, to the end of the head.
HEAD_WITHIN_IN_SECONDS = 20.0
#: More than a browser sends with all cookies of a university, and more than proxies let through.
LONGEST_HEAD_IN_BYTES = 128 * 1024


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which closes a connection whose head does not come."""

    _until_head: asyncio.TimerHandle | None = None
    #: Of a head that is not whole yet.
    _head_in_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection: its first request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """What the network brings: a head that is still not whole may not go on for ever."""
        super().data_received(data)
        self._head_in_bytes = self._head_in_bytes + len(data) if self._until_head else 0
        if self._head_in_bytes > LONGEST_HEAD_IN_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        """The first byte of a request: the rest of its head is awaited."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._until_head = self.loop.call_later(HEAD_WITHIN_IN_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._until_head is not None:
            self._until_head.cancel()
            self._until_head = None

    def _give_up(self) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if cycle is None or cycle.response_complete:
            self.transport.close()
        else:  # a request before it is still being answered
            self._await_head()
