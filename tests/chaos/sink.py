"""An SMTP server that keeps what it takes on the disk before it says 250, and misbehaves as it is told.

    python -m tests.chaos.sink --port 1025 --directory mail --behaviour file

The file holds a word and how often it happens: ``late 0.2``. It is read for each message, so it can change in mid-run.
"""

import argparse
import random
import socket
import socketserver
import struct
import time
from enum import StrEnum
from pathlib import Path

from enrollment_crm.mail.maildir import Maildir

#: Longer than the workers wait for an answer.
LATE_IN_SECONDS = 1.5


class Behaviour(StrEnum):
    """What happens to some of the messages; the others are taken."""

    #: Taken and answered.
    WELL = "well"
    #: Taken, answered, and the connection is reset.
    RESET_AFTER_250 = "reset_after_250"
    #: Taken, and the connection is reset instead of an answer.
    RESET_INSTEAD_OF_250 = "reset_instead_of_250"
    #: Not taken: the connection is cut after the lone dot.
    DROP_AFTER_DOT = "drop_after_dot"
    #: Taken, and answered when nobody waits any more.
    LATE = "late"
    #: Not taken: 451 after the content.
    LATER_AFTER_DATA = "451_after_data"
    #: Not taken: 450 to the address.
    FLOOD_OF_4XX = "4xx_flood"
    #: Taken, and answered a byte at a time.
    TARPIT = "tarpit"


class _Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, port: int, directory: Path, behaviour: Path) -> None:
        super().__init__(("127.0.0.1", port), _Session)
        self.maildir = Maildir(directory)
        self._behaviour = behaviour

    def next_behaviour(self) -> Behaviour:
        word, _, share = self._behaviour.read_text().partition(" ")
        return Behaviour(word) if random.random() < float(share or 1) else Behaviour.WELL


class _Session(socketserver.StreamRequestHandler):
    server: _Sink

    #: Small replies must not wait for the acknowledgement of the one before.
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._say("220 sink.example")
        try:
            self._serve()
        except OSError:
            return

    def _serve(self) -> None:
        recipient = ""
        behaviour = Behaviour.WELL
        for line in self.rfile:
            word, _, rest = line.strip().decode().partition(" ")
            match word.upper():
                case "EHLO":
                    self._say("250-sink.example", "250 PIPELINING")
                case "RCPT":
                    recipient, behaviour = rest, self.server.next_behaviour()
                    flood = behaviour is Behaviour.FLOOD_OF_4XX
                    recipient = "" if flood else recipient
                    self._say("450 4.2.1 try later" if flood else "250 2.1.5 OK")
                case "DATA" if not recipient:
                    self._say("554 5.5.1 no recipients")
                case "DATA":
                    self._say("354 go on")
                    if not self._take(recipient, behaviour):
                        return
                    recipient = ""
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 OK")

    def _take(self, recipient: str, behaviour: Behaviour) -> bool:
        """Read the content and do with it as it is to be; False: the session is over."""
        content = self._content()
        if content is None or behaviour is Behaviour.DROP_AFTER_DOT:
            return False
        if behaviour is Behaviour.LATER_AFTER_DATA:
            self._say("451 4.3.0 try later")
            return True
        self.server.maildir.keep(content, sender="", recipients=[recipient])
        if behaviour is Behaviour.RESET_INSTEAD_OF_250:
            return self._reset()
        if behaviour is Behaviour.LATE:
            time.sleep(LATE_IN_SECONDS)
        self._say("250 2.0.0 kept", pause=0.1 if behaviour is Behaviour.TARPIT else 0)
        return self._reset() if behaviour is Behaviour.RESET_AFTER_250 else True

    def _content(self) -> bytes | None:
        """Up to the lone dot; None: the worker died before it."""
        lines: list[bytes] = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line.removeprefix(b"."))
        return None

    def _reset(self) -> bool:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _say(self, *lines: str, pause: float = 0) -> None:
        octets = "".join(f"{line}\r\n" for line in lines).encode()
        for piece in [bytes([one]) for one in octets] if pause else [octets]:
            self.request.sendall(piece)
            time.sleep(pause)


def main() -> None:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--behaviour", type=Path, required=True)
    given = parser.parse_args()
    with _Sink(given.port, given.directory, given.behaviour) as sink:
        sink.serve_forever()


if __name__ == "__main__":
    main()
