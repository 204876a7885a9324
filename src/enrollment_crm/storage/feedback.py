"""Feedback: what mail systems and readers say of messages and people, each thing kept once (R7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Date, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.bounces import Bounce, is_hard_bounce
from enrollment_crm.domain.ledger import TAKEN_BY_RELAY, MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.models import BounceRow, MessageEventRow, MessageRow, PersonRow
from enrollment_crm.storage.suppressions import address_of_record, last_lifted_at


@dataclass(frozen=True)
class ReportedMessage:
    """A message that somebody speaks of, locked until the transaction ends. Ids only."""

    id: int
    person_id: int
    kind: MessageKind
    state: MessageState
    claimed_at: datetime


def message_of_report(connection: Connection, message_id: str) -> ReportedMessage | None:
    """The message with this Message-ID; None: the ledger has none."""
    columns = (MessageRow.id, MessageRow.person_id, MessageRow.kind, MessageRow.state, MessageRow.claimed_at)
    statement = select(*columns).where(MessageRow.message_id == message_id).with_for_update()
    row = connection.execute(statement).first()
    if row is None:
        return None
    return ReportedMessage(row.id, row.person_id, MessageKind(row.kind), MessageState(row.state), row.claimed_at)


def record_reported_state(
    connection: Connection, message: ReportedMessage, state: MessageState, *, at: datetime
) -> None:
    """The message stands here now. Whoever holds it loses it: what has reached its reader is not sent again.

    Where its worker has vanished with the relay's answer, the report tells when it was accepted at the latest.
    """
    accepted_at = func.coalesce(MessageRow.accepted_at, at)
    values = {"state": state.value, "lease_until": None, "retry_at": None, "accepted_at": accepted_at}
    connection.execute(update(MessageRow).where(MessageRow.id == message.id).values(values))


def record_bounce(
    connection: Connection, bounce: Bounce, *, person_id: int, message_row_id: int | None = None
) -> list[Bounce]:
    """Keep a bounce; give all that count for the address of this record, this one with them.

    A message comes back once: a second report of it counts only where it is the first that says that the address does
    not exist. What came back before the address was last taken off the list has been dealt with.
    """
    values = {"person_id": person_id, "status": bounce.status, "at": bounce.at, "message_row_id": message_row_id}
    statement = insert_or_update(BounceRow).values(values)
    if is_hard_bounce(bounce.status):
        harder = {"status": statement.excluded.status, "at": statement.excluded.at}
        kept = statement.on_conflict_do_update(index_elements=[BounceRow.message_row_id], set_=harder)
    else:
        kept = statement.on_conflict_do_nothing()
    connection.execute(kept)
    return _bounces_that_count(connection, person_id)


def _bounces_that_count(connection: Connection, person_id: int) -> list[Bounce]:
    statement = select(BounceRow.status, BounceRow.at).where(BounceRow.person_id == person_id)
    address = address_of_record(connection, person_id)
    lifted = last_lifted_at(connection, address) if address else None
    if lifted is not None:
        statement = statement.where(BounceRow.at > lifted)
    return [Bounce(row.status, row.at) for row in connection.execute(statement)]


def record_complaint(connection: Connection, *, person_id: int, at: datetime) -> None:
    """The person reported a message as spam: nothing more is written to them, and no signup lifts that."""
    statement = update(PersonRow).where(PersonRow.id == person_id, PersonRow.complained_at.is_(None))
    connection.execute(statement.values(complained_at=at))


def forget_complaint(connection: Connection, *, person_ids: Sequence[int]) -> int:
    """A member of staff takes the complaint of these people back; gives how many had one."""
    statement = update(PersonRow).where(PersonRow.id.in_(list(person_ids)), PersonRow.complained_at.is_not(None))
    return connection.execute(statement.values(complained_at=None)).rowcount


@dataclass(frozen=True)
class ComplaintCount:
    """How many messages of a kind the relay took in a window, and about how many of them their readers complained."""

    kind: MessageKind
    accepted: int
    complaints: int


def count_complaints(connection: Connection, *, window: timedelta, now: datetime) -> list[ComplaintCount]:
    """Of each kind that was complained about: what went out in the window before ``now``, and what was complained."""
    complained = func.count().filter(MessageRow.state == MessageState.COMPLAINED.value)
    statement = (
        select(MessageRow.kind, func.count(), complained)
        .where(
            MessageRow.accepted_at > now - window,
            MessageRow.accepted_at <= now,
            MessageRow.state.in_(sorted(state.value for state in TAKEN_BY_RELAY)),
        )
        .group_by(MessageRow.kind)
        .having(complained > 0)
        .order_by(MessageRow.kind)
    )
    return [ComplaintCount(MessageKind(kind), *counts) for kind, *counts in connection.execute(statement)]


def newest_complaint(connection: Connection, kind: MessageKind) -> int:
    """The number of the newest complaint about a kind of message; 0: there was none."""
    statement = (
        select(func.max(MessageEventRow.id))
        .join(MessageRow, MessageRow.id == MessageEventRow.message_row_id)
        .where(MessageEventRow.kind == MessageState.COMPLAINED.value, MessageRow.kind == kind.value)
    )
    return connection.execute(statement).scalar_one() or 0


def policy_refusals_by_day(connection: Connection, *, since: datetime) -> dict[date, int]:
    """How many messages came back with 5.7.x, by the day (UTC) on which they did."""
    day = cast(func.timezone("UTC", MessageEventRow.at), Date)
    statement = (
        select(day, func.count())
        .where(
            MessageEventRow.kind == MessageState.BOUNCED.value,
            MessageEventRow.status.startswith("5.7."),
            MessageEventRow.at >= since,
        )
        .group_by(day)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}
