"""The dialogue of an SMTP session that has been opened: commands, pipelined where the server offers it, and replies.

`smtplib` opens sessions (greeting, STARTTLS, sign-in); it waits for each reply before the next command, and a server
that sends its reply one byte at a time can keep it for ever. Here a reply has a deadline as a whole.
"""

import socket
import time

#: A reply of a server that does not end is not one.
_LONGEST_REPLY_IN_BYTES = 65_536
_CHUNK_IN_BYTES = 16_384
_CODE_LENGTH = 3


class Dialogue:
    """Speaks over the socket of an opened session.

    All of it raises OSError where the connection breaks, and TimeoutError, which is one, where the server is too slow.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        # The end of a content must not wait for the acknowledgement of what came before it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def command(self, *lines: bytes, within: float) -> None:
        """Say commands in one piece; their replies are read one by one."""
        if any(b"\r" in line or b"\n" in line for line in lines):
            raise ValueError("A command of SMTP holds a line break: clean the address that it was made of.")
        self.send(b"\r\n".join(lines) + b"\r\n", within=within)

    def send(self, octets: bytes, *, within: float) -> None:
        """Send all of it in so many seconds."""
        self._socket.settimeout(within)
        self._socket.sendall(octets)

    def reply(self, *, within: float) -> tuple[int, bytes]:
        """The next reply, its last line included, within so many seconds: its code, and its text of all lines."""
        deadline = time.monotonic() + within
        texts = []
        while True:
            line = self._line(deadline)
            code, mark = line[:_CODE_LENGTH], line[_CODE_LENGTH : _CODE_LENGTH + 1]
            if not code.isdigit() or mark not in (b" ", b"-", b""):
                raise ConnectionError("The server speaks no SMTP any more.")
            texts.append(line[_CODE_LENGTH + 1 :])
            if mark != b"-":
                return int(code), b"\n".join(texts)

    def _line(self, deadline: float) -> bytes:
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > _LONGEST_REPLY_IN_BYTES:
                raise ConnectionError("The server's reply does not end.")
            self._receive(deadline)
        line, self._unread = self._unread[:end], self._unread[end + 1 :]
        return line.rstrip(b"\r")

    def _receive(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The server took too long to answer.")
        self._socket.settimeout(left)
        received = self._socket.recv(_CHUNK_IN_BYTES)
        if not received:
            raise ConnectionError("The server hung up.")
        self._unread += received
