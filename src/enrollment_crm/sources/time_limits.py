"""A limit for all that one conversation takes: many short waits are a long one, also between two lines of a header."""

import socket
import threading
from contextlib import suppress
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class TimeIsUpError(Exception):
    """The conversation took longer than it may. Raised for new connections; those that are open end at once."""


class TimeLimit:
    """Ends the connections of a session when the time is up, whatever they wait for.

    Timeouts of sockets begin anew with each byte, so that a server that drips keeps one busy for days. By the
    machine's monotonic clock, because it is about waiting and not about what is due.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._open:
                one.close()
            self._open.clear()

    def limit(self, session: requests.Session) -> None:
        """Let all connections of the session from now on end with the time."""
        for prefix, adapter in list(session.adapters.items()):
            if isinstance(adapter, HTTPAdapter):
                session.mount(prefix, _WatchedAdapter(self, adapter))

    def watch(self, connected: socket.socket) -> None:
        """Know of a connection. Of its own handle: TLS takes the first one over.

        Raises:
            TimeIsUpError: it comes too late.
        """
        with self._lock:
            if self.is_over:
                connected.close()
                raise TimeIsUpError(TimeIsUpError.__doc__)
            self._open.append(connected.dup())

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class _WatchedAdapter(HTTPAdapter):
    """In the place of another one: its connections are watched, those that go by a proxy too."""

    def __init__(self, limit: TimeLimit, like: HTTPAdapter) -> None:
        self._pools = {
            "http": _pool_class(HTTPConnectionPool, HTTPConnection, limit),
            "https": _pool_class(HTTPSConnectionPool, HTTPSConnection, limit),
        }
        super().__init__(max_retries=like.max_retries)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_class(pool: type[Any], connection: type[Any], limit: TimeLimit) -> type[Any]:
    class WatchedConnection(connection):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            limit.watch(connected)
            return connected

    class WatchedPool(pool):  # type: ignore[misc]
        ConnectionCls = WatchedConnection

    return WatchedPool
