"""Freshness: when each source delivered, and whether operations know the freshness gate as closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.batches import BatchStep, InboxOutcome
from enrollment_crm.domain.freshness import Deliveries
from enrollment_crm.storage.literals import spelled_out
from enrollment_crm.storage.models import BatchRow, FreshnessGateRow, InboxRow, SourceDeliveryRow

_APPLICATIONS = "applications"


def record_delivery(connection: Connection, source: str, *, kind: str, at: datetime) -> None:
    """Remember that a source delivered. Call it before its rows are kept: it looks at what waited until then.

    It never goes back: who delivers again by an older clock is as fresh as before.
    """
    statement = insert_or_update(SourceDeliveryRow).values(source=source, delivered_at=at)
    same_time = SourceDeliveryRow.delivered_at >= statement.excluded.delivered_at
    goes_on = or_(same_time, _rows_wait(source, kind))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[SourceDeliveryRow.source],
            set_={
                "delivered_at": func.greatest(SourceDeliveryRow.delivered_at, statement.excluded.delivered_at),
                "taken_in_until": case(
                    (goes_on, SourceDeliveryRow.taken_in_until), else_=SourceDeliveryRow.delivered_at
                ),
            },
        )
    )


def note_first_seen(connection: Connection, sources: Iterable[str], *, at: datetime) -> None:
    """Remember since when sources are set up; of those that are known already nothing changes."""
    for source in sources:
        statement = insert_or_update(SourceDeliveryRow).values(source=source, first_seen=at)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[SourceDeliveryRow.source],
                set_={"first_seen": statement.excluded.first_seen},
                where=SourceDeliveryRow.first_seen.is_(None),
            )
        )


def deliveries_of(connection: Connection, sources: Iterable[str], *, kind: str) -> dict[str, Deliveries]:
    """What is known of the sources, and whether rows of them wait, as of one instant."""
    row = SourceDeliveryRow
    statement = select(
        row.source, row.first_seen, row.delivered_at, row.taken_in_until, _rows_wait(row.source, kind)
    ).where(row.source == func.any(list(sources)))
    return {
        source: Deliveries(first_seen, delivered_at, taken_in_until, rows_wait)
        for source, first_seen, delivered_at, taken_in_until, rows_wait in connection.execute(statement)
    }


def _rows_wait(source: Any, kind: str) -> ColumnElement[bool]:
    """SQL: rows of the source are not validated, or accepted and not loaded, be it that their batch is stopped."""
    of_source = (InboxRow.source == source, InboxRow.kind == kind)
    pending = select(1).where(*of_source, InboxRow.outcome == spelled_out(InboxOutcome.PENDING))
    tables = (InboxRow, BatchRow)
    not_loaded = [
        exists(
            select(1)
            .select_from(BatchRow)
            .join(InboxRow, InboxRow.batch_id == BatchRow.id)
            .where(BatchRow.kind == kind, BatchRow.step == spelled_out(step))
            .where(*of_source, InboxRow.outcome == InboxOutcome.ACCEPTED.value)
            .correlate_except(*tables)
        )
        # One question each: every step has an index of its own.
        for step in (BatchStep.VALIDATED, BatchStep.STOPPED)
    ]
    return or_(exists(pending.correlate_except(*tables)), *not_loaded)


@dataclass(frozen=True)
class GateMemory:
    """The gate as operations know it."""

    closed_since: datetime | None
    people_held: int


def exchange_gate_memory(connection: Connection, *, is_closed: bool, people_held: int, at: datetime) -> GateMemory:
    """Remember the gate as it stands, and give what was remembered; of two that ask at once one comes second."""
    row = FreshnessGateRow
    new = insert_or_update(row).values(name=_APPLICATIONS, closed_since=None, people_held=0)
    connection.execute(new.on_conflict_do_nothing())
    locked = select(row.closed_since, row.people_held).where(row.name == _APPLICATIONS).with_for_update()
    before = GateMemory(*connection.execute(locked).one())
    since = (before.closed_since or at) if is_closed else None
    restore_gate_memory(connection, GateMemory(since, people_held))
    return before


def restore_gate_memory(connection: Connection, memory: GateMemory) -> None:
    """Remember the gate like this."""
    row = FreshnessGateRow
    connection.execute(
        update(row)
        .where(row.name == _APPLICATIONS)
        .values(closed_since=memory.closed_since, people_held=memory.people_held)
    )
