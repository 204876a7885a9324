"""A transport that delivers to a folder: for staging, where no message may ever reach an inbox."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from enrollment_crm.mail.accept_log import MaildirAcceptLog
from enrollment_crm.mail.maildir import Maildir
from enrollment_crm.mail.messages import OutgoingMessage


class FileTransport:
    """Writes each message as an .eml file into a Maildir. It opens no connection: there is none in this module."""

    def __init__(self, directory: Path) -> None:
        self._maildir = Maildir(directory, suffix=".eml")
        self._accept_log = MaildirAcceptLog(directory)

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Write one message; it is on the disk when this returns."""
        before_data()
        self._maildir.keep(message.content, sender=message.envelope_sender, recipients=[message.envelope_recipient])
        return "250 2.0.0 kept as a file"

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        """Whether a file of the folder has, or had, this Message-ID."""
        return self._accept_log.was_accepted(message_id, since=since)

    def close(self) -> None:
        """Nothing to close."""
