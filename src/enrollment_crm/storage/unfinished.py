"""Unfinished messages: what a vanished worker or a refusal left behind, claimed again, withheld or withdrawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    ScalarSelect,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.storage.checklists import awaits_nothing
from enrollment_crm.storage.literals import spelled_out
from enrollment_crm.storage.models import CoverRow, DeadlineRow, MessageRow, PersonRow
from enrollment_crm.storage.withholding import withheld_then

#: Not a byte has left, or the relay has refused it for now.
UNSENT = [one.value for one in (MessageState.CLAIMED, MessageState.RETRY)]


def withdraw_unsent(connection: Connection, person_ids: Sequence[int], reason: WithholdReason) -> None:
    """What was claimed for these records and has not left is withheld: its worker has lost it, and sends nothing.

    The token decides between the two: a worker that began to transmit before has sent it, and that counts.
    """
    withdraw(connection, MessageRow.person_id.in_(person_ids), reason)


def withdraw(connection: Connection, which: ColumnElement[bool], reason: WithholdReason) -> list[int]:
    """The same for some of the messages that have not left; gives their ids."""
    unsent = update(MessageRow).where(which, MessageRow.state.in_(UNSENT))
    withdrawn = unsent.values(
        state=MessageState.WITHHELD.value,
        withheld=reason.value,
        token=MessageRow.token + 1,
        lease_until=None,
        retry_at=None,
    )
    return list(connection.execute(withdrawn.returning(MessageRow.id)).scalars())


def count_unfinished(connection: Connection) -> dict[MessageKind, int]:
    """How many messages of each kind wait to be tried again or to be found out about."""
    statement = select(MessageRow.kind, func.count()).where(_vanished() | _to_retry()).group_by(MessageRow.kind)
    return {MessageKind(kind): number for kind, number in connection.execute(statement)}


def is_any_unfinished(connection: Connection, kind: MessageKind) -> bool:
    """Whether a message of this kind waits to be tried again or to be found out about."""
    waiting = select(MessageRow.id).where(MessageRow.kind == kind.value, _vanished() | _to_retry())
    return connection.execute(select(waiting.exists())).scalar_one()


def count_unsettled(connection: Connection) -> int:
    """How many messages of any kind have no end yet, whether a worker holds them or nobody does."""
    open_states = [spelled_out(one) for one in (MessageState.CLAIMED, MessageState.TRANSMITTING, MessageState.RETRY)]
    statement = select(func.count()).select_from(MessageRow).where(MessageRow.state.in_(open_states))
    return connection.execute(statement).scalar_one()


def reclaim_vanished(connection: Connection, kind: MessageKind, *, limit: int, lease: timedelta) -> list[int]:
    """Claim messages whose worker vanished while it transmitted: their outcome is to be found out."""
    chosen = select(MessageRow.id).where(MessageRow.kind == kind.value, _vanished()).limit(limit)
    statement = (
        update(MessageRow)
        .where(MessageRow.id.in_(chosen.with_for_update(skip_locked=True).scalar_subquery()))
        .values(token=MessageRow.token + 1, lease_until=func.clock_timestamp() + lease)
        .returning(MessageRow.id)
    )
    return sorted(connection.execute(statement).scalars())


@dataclass(frozen=True)
class Reclaimed:
    """What one statement took up: messages that are this worker's now, and the number that it withheld."""

    message_ids: tuple[int, ...]
    withheld: int

    @property
    def settled(self) -> int:
        """Zero: nothing is left to take up."""
        return len(self.message_ids) + self.withheld


def reclaim_to_retry(
    connection: Connection,
    kind: MessageKind,
    *,
    topics: Mapping[MessageKind, str],
    limit: int,
    lease: timedelta,
    now: datetime,
) -> Reclaimed:
    """Claim messages to be tried (again); what has come to be withheld since is withheld in the same statement (R7).

    Args:
        topics: topic of the template of each kind.
    """
    chosen = (
        select(MessageRow.id)
        .join(PersonRow, PersonRow.id == MessageRow.person_id)
        .where(MessageRow.kind == kind.value, _to_retry())
        .order_by(MessageRow.id)
        .limit(limit)
        # The people too: nobody can unsubscribe between the reading of the reasons and the commit.
        .with_for_update(of=[MessageRow, PersonRow], skip_locked=True)
    )
    taken = list(connection.execute(chosen).scalars())
    reason = _reason_for_all_covers(kind, topics, now)
    state = case((reason.is_(None), MessageState.CLAIMED.value), else_=MessageState.WITHHELD.value)
    statement = (
        update(MessageRow)
        .where(MessageRow.id == func.any(taken))
        .values(
            state=state,
            withheld=reason,
            token=MessageRow.token + 1,
            lease_until=case((reason.is_(None), func.clock_timestamp() + lease), else_=null()),
            retry_at=None,
        )
        .returning(MessageRow.id, MessageRow.state)
    )
    rows = connection.execute(statement).all()
    ours = sorted(row.id for row in rows if row.state == MessageState.CLAIMED.value)
    _drop_unwanted_covers(connection, kind, ours, topics=topics, now=now)
    return Reclaimed(tuple(ours), withheld=len(rows) - len(ours))


def _vanished() -> ColumnElement[bool]:
    ended = MessageRow.lease_until < func.clock_timestamp()
    return (MessageRow.state == spelled_out(MessageState.TRANSMITTING)) & ended


def _to_retry() -> ColumnElement[bool]:
    ended = MessageRow.lease_until < func.clock_timestamp()
    due = MessageRow.retry_at <= func.clock_timestamp()
    return or_(
        (MessageRow.state == spelled_out(MessageState.CLAIMED)) & ended,
        (MessageRow.state == spelled_out(MessageState.RETRY)) & due,
    )


def _drop_unwanted_covers(
    connection: Connection,
    kind: MessageKind,
    ids: Sequence[int],
    *,
    topics: Mapping[MessageKind, str],
    now: datetime,
) -> None:
    """A message that is not frozen yet is written anew, without the covers that R7 withholds by now."""
    if not ids:
        return
    reason = _reason_for_cover(kind, topics, now)
    unwanted = (
        select(CoverRow.id, reason.label("reason"))
        .join(PersonRow, PersonRow.id == CoverRow.person_id)
        .join(MessageRow, MessageRow.id == CoverRow.message_row_id)
        .where(MessageRow.id == func.any(list(ids)), MessageRow.content.is_(None))
        .subquery()
    )
    connection.execute(
        update(CoverRow)
        .where(CoverRow.id == unwanted.c.id, unwanted.c.reason.is_not(None))
        .values(withheld=unwanted.c.reason, message_row_id=None)
    )


def _reason_for_all_covers(
    kind: MessageKind, topics: Mapping[MessageKind, str], now: datetime
) -> ScalarSelect[str | None]:
    """Why the whole message is withheld: NULL as long as one of its covers is still wanted and in time.

    An invitation that was folded in (R8) makes no message by itself: it goes with the last of the deadlines.
    """
    reason = _reason_for_cover(kind, topics, now)
    carries = and_(reason.is_(None), ~_is_folded(kind))
    return (
        select(case((func.bool_or(carries), null()), else_=func.min(reason)))
        .select_from(CoverRow)
        .join(PersonRow, PersonRow.id == CoverRow.person_id)
        .where(CoverRow.message_row_id == MessageRow.id)
        .correlate(MessageRow)
        .scalar_subquery()
    )


def _reason_for_cover(kind: MessageKind, topics: Mapping[MessageKind, str], now: datetime) -> ColumnElement[str]:
    invitation = MessageKind.SESSION_INVITATION
    about = {"program": CoverRow.program, "entry_term": CoverRow.entry_term}
    by_person = withheld_then(literal(now), kind, topic=topics[kind], **about)
    return case(
        (_is_over(now), literal(WithholdReason.TOO_LATE.value)),
        (_is_overtaken(), literal(WithholdReason.COLLAPSED.value)),
        (_is_folded(kind), withheld_then(literal(now), invitation, topic=topics[invitation])),
        (_is_complete(kind), literal(WithholdReason.COMPLETE.value)),
        else_=by_person,
    )


def _is_folded(kind: MessageKind) -> ColumnElement[bool]:
    """The cover is an invitation in a message about deadlines."""
    return CoverRow.prep_session_id.is_not(None) if kind is MessageKind.DEADLINE_REMINDER else false()


def _is_complete(kind: MessageKind) -> ColumnElement[bool]:
    """Nothing is left of what the message would speak of."""
    if kind is not MessageKind.CHECKLIST_REMINDER:
        return false()
    return awaits_nothing(CoverRow.person_id, program=CoverRow.program, entry_term=CoverRow.entry_term)


def _is_overtaken() -> ColumnElement[bool]:
    """A newer reminder of the same deadline has come: one useful message, never a burst."""
    newer = aliased(CoverRow)
    same = [
        getattr(newer, key).is_not_distinct_from(getattr(CoverRow, key))
        for key in ("person_id", "kind", "program", "entry_term", "round", "stated_date")
    ]
    of_a_deadline = CoverRow.stated_date.is_not(None)
    overtakes = exists(select(1).where(*same, newer.due_at > CoverRow.due_at).correlate_except(newer))
    return and_(of_a_deadline, overtakes)


def _is_over(now: datetime) -> ColumnElement[bool]:
    """The midnight after the stated date has come on the clock on which it ends (R1), or the session has begun."""
    midnight = func.timezone(_cut_off_zone(), cast(CoverRow.stated_date + 1, DateTime))
    return func.coalesce(midnight <= now, CoverRow.session_starts <= now, False)


def _cut_off_zone() -> ColumnElement[str]:
    """The zone of the newest row with this date; a date that nobody states any more ends in New York."""
    zone = (
        select(DeadlineRow.cut_off_zone)
        .where(
            DeadlineRow.program == CoverRow.program,
            DeadlineRow.entry_term == CoverRow.entry_term,
            DeadlineRow.round == CoverRow.round,
            DeadlineRow.stated_date == CoverRow.stated_date,
        )
        .order_by(DeadlineRow.id.desc())
        .limit(1)
        .correlate(CoverRow)
        .scalar_subquery()
    )
    return func.coalesce(zone, HOME_ZONE)
