"""The states of a message in the ledger.

::

    claimed -> transmitting -> accepted -> delivered -> bounced -> complained
       ^            |--> retry --> claimed        refused for now, or its worker vanished: later, the same bytes
       |            |--> failed                   refused for good
       |            `--> uncertain                nobody can tell; operations decide
       |--- withheld                              a reason arose between two attempts (R7)
       `--- accepted, uncertain                   a copy may have left: asked again before another one does

What follows ``accepted`` is what others say of the message afterwards, in whatever order it reaches us
(``domain.feedback``). A message that is only planned has no row: the schedule is derived.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.residency import Residency


class MessageState(StrEnum):
    """Where a message stands."""

    #: A worker holds its lease and has not begun to transmit; when the lease ends it can be claimed again.
    CLAIMED = "claimed"
    #: The first byte may have left: the outcome is known only from the relay's answer or its accept log.
    TRANSMITTING = "transmitting"
    #: The relay took responsibility (250 after DATA).
    ACCEPTED = "accepted"
    #: Refused for now, never reached the relay, could not be written, or its worker vanished and it may go out again;
    #: claimed again at ``retry_at``. Bytes that were frozen stay the same.
    RETRY = "retry"
    #: Refused for good, its address cannot be one, or its frozen bytes were changed; ``outcome`` says why.
    FAILED = "failed"
    #: Its worker vanished while transmitting and no accept log can tell; shown to operations, never resent silently.
    UNCERTAIN = "uncertain"
    #: A reason to withhold it arose after it was claimed; ``withheld`` names it.
    WITHHELD = "withheld"
    #: The receiver's mail system said that it put the message into the mailbox. Most never say so.
    DELIVERED = "delivered"
    #: It came back after the relay had taken it; the timeline has the status code and the words.
    BOUNCED = "bounced"
    #: The reader reported it as spam.
    COMPLAINED = "complained"


#: The relay took the message, whatever became of it afterwards.
TAKEN_BY_RELAY = frozenset(
    {MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.BOUNCED, MessageState.COMPLAINED}
)


#: How long to wait after the first refusal; doubles with each further one. See ``retry_delay``.
_FIRST_RETRY = timedelta(minutes=1)
_LONGEST_RETRY = timedelta(hours=4)
#: Multiples of it, modulo one, spread evenly between 0 and 1.
_GOLDEN_RATIO = 0.6180339887
#: Offsets whose reminder is resent once, under the same Message-ID, when nobody can tell whether it went out:
#: the last reminders are worth a duplicate, the others are not.
_WORTH_A_DUPLICATE = frozenset({"7d", "1d"})
#: Kinds of which every message is. Without it the reader goes by a date that does not hold, and no other message
#: makes up for it; a second copy of a calendar file changes nothing (same UID, same SEQUENCE).
_ALWAYS_WORTH_A_DUPLICATE = frozenset(
    {
        MessageKind.DEADLINE_MOVED,
        MessageKind.SESSION_CONFIRMATION,
        MessageKind.SESSION_MOVED,
        MessageKind.SESSION_CANCELLED,
    }
)


@dataclass(frozen=True, kw_only=True)
class Cover:
    """One key of R5 that a message covers; the fields that its kind does not have are None.

    One with a ``prep_session_id`` is a session's: in a deadline reminder, an invitation that was folded into it (R8).
    """

    program: str | None = None
    entry_term: str | None = None
    round: str | None = None
    stated_date: date | None = None
    prep_session_id: str | None = None
    session_starts: datetime | None = None
    offset: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The person whom a message is for. pii: name, address, residency and zone."""

    person_id: int
    email: str
    first_name: str
    last_name: str
    residency: Residency
    zone: str
    #: Key of the counselor.
    owner: str


@dataclass(frozen=True, kw_only=True)
class ClaimedMessage:
    """A message that a worker holds: it may be sent as long as the token is the newest."""

    id: int
    kind: MessageKind
    token: int
    due_at: datetime
    #: How often transmission began.
    attempts: int
    #: How often the relay said no or later.
    refusals: int
    reader: Reader
    covers: tuple[Cover, ...]
    #: The bytes of an earlier attempt: they are sent again unchanged.
    content: bytes | None = None
    #: What they were when they were frozen.
    content_sha256: str | None = None
    message_id: str | None = None
    #: When it was claimed first: no copy left before.
    claimed_at: datetime | None = None
    #: A copy may have left, and handing it over again was harmless when that was asked.
    may_have_left: bool = False


def message_key(message: ClaimedMessage) -> str:
    """What makes a message itself, whatever runs twice: the seed of its Message-ID (R5).

    Ids and dates only. ``42:deadline_reminder:my-program/fall 2027/early_action/2026-12-01/7d``
    """
    covers = "+".join(sorted(_cover_key(cover) for cover in message.covers))
    return f"{message.reader.person_id}:{message.kind.value}:{covers}"


def _cover_key(cover: Cover) -> str:
    # In UTC: the database's zone, in which it hands out instants, must not change a Message-ID.
    starts = cover.session_starts.astimezone(UTC).isoformat() if cover.session_starts else None
    parts = (
        cover.program,
        cover.entry_term,
        cover.round,
        cover.stated_date,
        cover.prep_session_id,
        starts,
        cover.offset,
    )
    return "/".join(str(part) for part in parts if part is not None)


def retry_delay(message: ClaimedMessage, *, refusals: int) -> timedelta:
    """How long to wait after so many refusals: 1, 2, 4 ... minutes, four hours at most, and up to half as much again.

    The surplus differs from message to message: those that were refused together do not come back together.
    """
    doublings = max(0, min(refusals - 1, 10))
    surplus = message.id * _GOLDEN_RATIO % 1 / 2
    return min(_FIRST_RETRY * (1 << doublings), _LONGEST_RETRY) * (1 + surplus)


def resend_when_unknown(message: ClaimedMessage) -> bool:
    """Whether an unknown outcome is worth a second copy, and only one.

    It is for the last reminders, and for what says that a date is another than the reader knows; it is not for
    welcomes, receipts, invitations and early reminders, whatever is folded into them.
    """
    return message.attempts < 2 and _is_worth_a_duplicate(message)  # noqa: PLR2004


def _is_worth_a_duplicate(message: ClaimedMessage) -> bool:
    match message.kind:
        case MessageKind.DEADLINE_REMINDER:
            return any(one.offset in _WORTH_A_DUPLICATE for one in message.covers if one.prep_session_id is None)
        case MessageKind.SESSION_REMINDER | MessageKind.CHECKLIST_REMINDER:
            return any(one.offset in _WORTH_A_DUPLICATE for one in message.covers)
        case kind:
            return kind in _ALWAYS_WORTH_A_DUPLICATE
