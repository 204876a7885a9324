"""A real SMTP server in a thread of the test, which answers as it is told and remembers what it took."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from enrollment_crm.mail.maildir import Maildir


@dataclass(frozen=True)
class Taken:
    """A message that the relay answered with 250."""

    recipient: str
    content: bytes

    @property
    def message_id(self) -> str:
        """As it stands in the message."""
        lines = self.content.decode().split("\r\n")
        return next(line.partition(": ")[2] for line in lines if line.lower().startswith("message-id:"))


@dataclass
class Relay:
    """Answers by phase (``RCPT``, ``content``), or by phase and recipient (``RCPT ben@example.edu``).

    An answer of ``drop`` cuts the connection; ``take and drop`` keeps the message and cuts it all the same.
    """

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    #: Everything whose content arrived here, whatever was answered.
    offered: list[Taken] = field(default_factory=list)
    #: Where it writes what it takes, as a relay with an accept log does.
    maildir: Maildir | None = None
    log: Path | None = None

    def recipients(self) -> list[str]:
        """Of everything that was taken, sorted."""
        return sorted(one.recipient for one in self.taken)

    def keep_log(self, directory: Path) -> None:
        """From now on, write down what is taken."""
        self.log, self.maildir = directory, Maildir(directory)

    def forget(self) -> None:
        """Begin a new test: no answers, nothing taken, no log."""
        self.answers, self.taken, self.offered, self.maildir, self.log = {}, [], [], None, None

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer("RCPT", address, "250 2.1.5 OK")
        if answer == "drop":
            server.transport.abort()
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        self.offered.append(Taken(recipient, envelope.content))
        answer = self._answer("content", recipient, "250 2.0.0 OK queued")
        if answer.startswith(("2", "take")):
            self._take(envelope, recipient)
        if answer.endswith("drop"):
            server.transport.abort()
        return answer

    def _answer(self, phase: str, recipient: str, otherwise: str) -> str:
        return self.answers.get(f"{phase} {recipient}", self.answers.get(phase, otherwise))

    def _take(self, envelope: Envelope, recipient: str) -> None:
        content = envelope.content
        self.taken.append(Taken(recipient, content))
        if self.maildir:
            self.maildir.keep(content, sender=envelope.mail_from, recipients=[recipient])


@contextmanager
def running_relay() -> Iterator[Relay]:
    """A relay on a free port of loopback."""
    relay = Relay()
    # aiosmtpd waits for its port by connecting to it; it has to be told which one it is.
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        relay.port = free.getsockname()[1]
    controller = Controller(relay, hostname="127.0.0.1", port=relay.port, ready_timeout=10)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()
