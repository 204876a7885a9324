"""Pacing: how far each recipient domain has come, shared by all workers."""

from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.pacing import Pace
from enrollment_crm.storage.literals import spelled_out
from enrollment_crm.storage.models import DomainPaceRow, MessageRow


def database_now(connection: Connection) -> datetime:
    """The database's clock: the one that all workers share."""
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


def seconds_to_next_turn(connection: Connection, kind: MessageKind, *, outcome: str) -> float | None:
    """Until the first message of this kind that waits with this outcome has its turn; None: none waits."""
    first = select(func.extract("epoch", func.min(MessageRow.retry_at) - func.clock_timestamp())).where(
        MessageRow.kind == kind.value,
        MessageRow.state == spelled_out(MessageState.RETRY),
        MessageRow.outcome == outcome,
    )
    seconds: float | None = connection.execute(first).scalar_one()
    return None if seconds is None else max(0.0, float(seconds))


def hold_pace(connection: Connection, domain: str) -> Pace:
    """How far the domain has come; nobody else changes it before this transaction ends."""
    now = func.clock_timestamp()
    first = insert_or_ignore(DomainPaceRow).values(domain=domain, next_at=now, backlog_until=now)
    connection.execute(first.on_conflict_do_nothing())
    held = select(DomainPaceRow.next_at, DomainPaceRow.backlog_until).where(DomainPaceRow.domain == domain)
    row = connection.execute(held.with_for_update()).one()
    return Pace(row.next_at, row.backlog_until)


def keep_pace(connection: Connection, domain: str, pace: Pace) -> None:
    """Remember how far it has come now."""
    values = {"next_at": pace.next_at, "backlog_until": pace.backlog_until}
    connection.execute(update(DomainPaceRow).where(DomainPaceRow.domain == domain).values(values))
