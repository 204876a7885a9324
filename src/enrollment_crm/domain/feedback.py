"""Feedback: what mail systems and readers say of a message that went out.

What is said once is said for good, in whatever order it arrives::

    accepted -> delivered -> bounced -> complained      never back to the left

A report of a delay changes no state: it stands in the timeline alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.ledger import MessageState


class FeedbackKind(StrEnum):
    """What is said of one message."""

    #: The receiver's mail system put it into the mailbox (a success DSN, or an event of the provider).
    DELIVERED = "delivered"
    #: It is still being tried: no failure.
    DELAYED = "delayed"
    #: It came back for good; the status says why.
    BOUNCED = "bounced"
    #: The reader reported it as spam.
    COMPLAINED = "complained"
    #: The reader's mail system asks us, in the reader's name, to write no more (RFC 5965 ``opt-out``).
    OPTED_OUT = "opted_out"


class FeedbackRecord(StrEnum):
    """What a raw row of the inbox is about that speaks of a message: a signature vouches for it, no suite judges it."""

    #: An event that the mail provider posted.
    MAIL_EVENT = "mail_event"


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """One thing that is said of one message of ours, believed already."""

    kind: FeedbackKind
    #: Our Message-ID, with its angle brackets.
    message_id: str
    #: Where it came from: a mailbox, or the provider. With ``fact_id`` it recognises what is delivered twice.
    source: str
    fact_id: str
    #: When it happened, by whoever says so; never later than when it reached us.
    at: datetime
    #: Enhanced status code (RFC 3463) of a bounce or a delay.
    status: str = ""
    #: What the other side says, without addresses.
    detail: str = ""

    def __post_init__(self) -> None:
        check_aware(self.at)


#: How far each state is: feedback moves a message to the right only.
_RANK = {
    MessageState.CLAIMED: 0,
    MessageState.TRANSMITTING: 0,
    MessageState.RETRY: 0,
    MessageState.UNCERTAIN: 0,
    MessageState.ACCEPTED: 0,
    MessageState.DELIVERED: 1,
    MessageState.BOUNCED: 2,
    MessageState.COMPLAINED: 3,
}
_STATES: Mapping[FeedbackKind, MessageState] = {
    FeedbackKind.DELIVERED: MessageState.DELIVERED,
    FeedbackKind.BOUNCED: MessageState.BOUNCED,
    FeedbackKind.COMPLAINED: MessageState.COMPLAINED,
    FeedbackKind.OPTED_OUT: MessageState.DELIVERED,
}


def state_after(state: MessageState, kind: FeedbackKind) -> MessageState:
    """Where a message stands once this has been said of it.

    Whoever speaks of a message has had it: one that is still being handed over, waits to be tried again, or whose
    outcome nobody knew, has reached the relay, and is not sent once more. What failed or was withheld stays so.
    """
    reached = _STATES.get(kind)
    if reached is None or state not in _RANK or _RANK[reached] <= _RANK[state]:
        return state
    return reached


@dataclass(frozen=True)
class ComplaintLimit:
    """When complaints stop a kind of message: over this share of what was accepted in a trailing window."""

    share: float
    window_in_days: int
    #: Fewer complaints never stop anything: one among few messages is no rate.
    at_least: int

    def is_exceeded(self, *, complaints: int, accepted: int) -> bool:
        """Whether so many complaints about so many accepted messages are too many. Exactly the share is not."""
        return complaints >= self.at_least and complaints > self.share * accepted
