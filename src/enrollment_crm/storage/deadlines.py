"""Deadlines in force, and their history."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.models import DeadlineRow


def deadlines_in_force(connection: Connection) -> list[Deadline]:
    """Every date that is in force, of every program and term."""
    statement = select(
        DeadlineRow.program,
        DeadlineRow.entry_term,
        DeadlineRow.round,
        DeadlineRow.residency,
        DeadlineRow.stated_date,
        DeadlineRow.version,
    ).where(DeadlineRow.replaced_at.is_(None))
    return [
        Deadline(
            DeadlineGroup(row.program, EntryTerm.parse(row.entry_term), Round(row.round), Residency(row.residency)),
            row.stated_date,
            row.version,
        )
        for row in connection.execute(statement.order_by(DeadlineRow.stated_date, DeadlineRow.id))
    ]


def add_missing_deadlines(
    connection: Connection, deadlines: Iterable[Deadline], *, source: str, approved_by: str, now: datetime
) -> int:
    """Bring dates into force for groups that have none; give their number. A date in force is never moved by this."""
    rows = [
        {
            "program": one.group.program,
            "entry_term": str(one.group.entry_term),
            "round": one.group.round.value,
            "residency": one.group.residency.value,
            "stated_date": one.stated_date,
            "version": one.version,
            "source": source,
            "approved_by": approved_by,
            "approved_at": now,
        }
        for one in deadlines
    ]
    if not rows:
        return 0
    statement = insert_or_ignore(DeadlineRow).on_conflict_do_nothing().returning(DeadlineRow.id)
    return len(connection.execute(statement, rows).all())
