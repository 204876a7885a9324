"""What really leaves: an SMTP server in a thread that keeps every byte, and a strict reader of the result.

The reader shares nothing with the standard library's parser, so that one cannot excuse the other.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_FIELD = re.compile(rb"([!-9;-~]+):[ \t](.*)", re.DOTALL)
#: RFC 5321 4.5.3.1.6, without the line end.
LONGEST_LINE = 998


@dataclass
class Letter:
    """One message as it stood on the wire: the commands before it, and everything between 354 and the answer."""

    commands: list[bytes]
    data: bytes

    @property
    def content(self) -> bytes:
        """The message, after the receiver has undone what SMTP does (RFC 5321 4.5.2)."""
        assert self.data.endswith(b"\r\n.\r\n")
        return re.sub(rb"(?m)^\.", b"", self.data.removesuffix(b".\r\n"))

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in order, unfolded; names in lower case. Fails on what is not RFC 5322."""
        head, separator, _ = self.content.partition(b"\r\n\r\n")
        assert separator
        fields: list[bytes] = []
        for line in head.split(b"\r\n"):
            if line[:1] in (b" ", b"\t"):
                assert line.strip(), "a folded line of nothing"
                fields[-1] += line
            else:
                fields.append(line)
        return [_parsed(one) for one in fields]

    def header(self, name: str) -> str:
        """The value of the header that stands there exactly once."""
        (value,) = (value for other, value in self.headers if other == name.lower())
        return value


def _parsed(line: bytes) -> tuple[str, str]:
    match = _FIELD.fullmatch(line)
    assert match, f"not a header: {line!r}"
    return match[1].decode("ascii").lower(), match[2].decode("utf-8")


@dataclass
class Wire:
    """A server that says yes, and what it was told. ``offers`` are lines of its answer to EHLO."""

    offers: tuple[str, ...] = ("SIZE 10485760", "8BITMIME")
    port: int = 0
    letters: list[Letter] = field(default_factory=list)

    def serve(self, server: socket.socket) -> None:
        """Answer connections until the listening socket is closed."""
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.sendall(b"220 wire\r\n")
        received, commands = b"", list[bytes]()
        while True:
            while b"\r\n" not in received:
                more = connection.recv(65536)
                if not more:
                    return
                received += more
            line, _, received = received.partition(b"\r\n")
            commands.append(line)
            verb = line[:4].upper()
            if verb == b"EHLO":
                names = ["wire", *self.offers]
                connection.sendall("".join(f"250-{name}\r\n" for name in names[:-1]).encode())
                connection.sendall(f"250 {names[-1]}\r\n".encode())
            elif verb == b"DATA":
                connection.sendall(b"354 go on\r\n")
                while not received.endswith(b"\r\n.\r\n"):
                    received += connection.recv(65536)
                self.letters.append(Letter(commands, received))
                received, commands = b"", []
                connection.sendall(b"250 2.0.0 OK\r\n")
            elif verb == b"QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            else:
                connection.sendall(b"250 OK\r\n")


@contextmanager
def running_wire(*offers: str) -> Iterator[Wire]:
    """The server on a free port of loopback."""
    wire = Wire(offers) if offers else Wire()
    server = socket.create_server(("127.0.0.1", 0))
    wire.port = server.getsockname()[1]
    thread = threading.Thread(target=wire.serve, args=(server,), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(timeout=5)
