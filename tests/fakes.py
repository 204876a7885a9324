"""Transports that do to a worker what happens to workers: killed, overtaken, watched. Around a real one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.mail.failpoints import Failpoint, Place
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.transport import Transport


class Killed(BaseException):
    """The worker's process ends here: nothing of ours catches it."""


def nothing() -> None:
    """Let everything go its way."""


@dataclass
class Interrupted:
    """A transport whose worker is interrupted at three moments; each may raise or let others act."""

    inner: Transport
    before_lease_check: Callable[[], None] = nothing
    after_lease_check: Callable[[], None] = nothing
    after_reply: Callable[[], None] = nothing

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        def interrupted() -> None:
            self.before_lease_check()
            before_data()
            self.after_lease_check()

        reply = self.inner.send(message, before_data=interrupted)
        self.after_reply()
        return reply

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        return self.inner.was_accepted(message_id, since=since)

    def close(self) -> None:
        self.inner.close()


def kill() -> None:
    """End the worker."""
    raise Killed


class At(Failpoint):
    """Something happens to a worker whenever it comes to a place."""

    def __init__(self, place: Place, happen: Callable[[], None]) -> None:
        super().__init__()
        self._at, self._happen = place, happen

    def reach(self, place: Place) -> None:
        if place is self._at:
            self._happen()
