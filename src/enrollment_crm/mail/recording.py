"""A transport that sends nothing: for rehearsals, and for practice."""

from collections.abc import Callable
from datetime import datetime

from enrollment_crm.mail.messages import OutgoingMessage


class RecordingTransport:
    """Takes every message as a relay would that always says yes, and knows which it took."""

    def __init__(self) -> None:
        self._accepted: set[str] = set()

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Take one message."""
        before_data()
        self._accepted.add(message.message_id)
        return "250 recorded"

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:  # noqa: ARG002
        """Whether it was taken."""
        return message_id in self._accepted

    def close(self) -> None:
        """Nothing to close."""
