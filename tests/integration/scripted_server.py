"""A web server on a real socket that breaks the rules: each connection is answered as the script says."""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

#: Answers one request on an open connection; the connection is closed afterwards.
Script = Callable[[socket.socket], None]


@dataclass
class ScriptedServer:
    """Where it listens, and what it was asked."""

    port: int
    scheme: str = "http"
    #: Each request: its head, and the body of a form.
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"


def answer(body: bytes, *, status: str = "200 OK", length: int | None = None, **headers: str) -> Script:
    """A whole answer, or one that promises more (or less) than it sends."""
    named = {"Content-Length": str(len(body) if length is None else length), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return lambda connection: connection.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)


def rows(*given: dict[str, Any], **headers: Any) -> Script:
    """Rows as Slate gives them."""
    return answer(json.dumps({"row": given}).encode(), Content_Type="application/json", **headers)


def dripping(body: bytes, *, pause: float = 0.05, in_header: bool = False) -> Script:
    """A byte at a time, each within every timeout of a socket."""

    def drip(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nX-Slow: " if in_header else b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(head)
        for byte in body * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return drip


def reset(connection: socket.socket) -> None:
    """The connection is cut off without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


@contextmanager
def scripted_server(scripts: Sequence[Script], *, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Runs until the end of the block; the last script answers whatever follows."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = ScriptedServer(listener.getsockname()[1], "https" if tls else "http")
        threading.Thread(target=_serve, args=[listener, list(scripts), server, tls], daemon=True).start()
        yield server


def _serve(listener: socket.socket, scripts: list[Script], server: ScriptedServer, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the test is over
        with suppress(OSError), connection:
            if tls is None:
                _answer(connection, scripts, server)
            else:
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    _answer(wrapped, scripts, server)


def _answer(connection: socket.socket, scripts: list[Script], server: ScriptedServer) -> None:
    server.requests.append(_request(connection))
    script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
    script(connection)


def _request(connection: socket.socket) -> str:
    """Head and body: the two may come one after the other."""
    said = connection.recv(65536).decode()
    promised = re.search(r"\r\nContent-Length: (\d+)\r\n", said)
    while promised and len(said.partition("\r\n\r\n")[2]) < int(promised[1]):
        if not (more := connection.recv(65536)):
            break
        said += more.decode()
    return said
