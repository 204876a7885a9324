"""Deadlines in force, and their history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, DeadlineRecord, Round
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.models import DeadlineRow


@dataclass(frozen=True)
class Approval:
    """Who brings dates into force, when, from what source, and why in their own words."""

    by: str
    at: datetime
    source: str
    reason: str = ""


def deadlines_in_force(connection: Connection) -> list[Deadline]:
    """Every date that is in force, of every program and term. One that nobody has confirmed yet is not."""
    statement = (
        select(DeadlineRow.__table__)
        .where(DeadlineRow.replaced_at.is_(None), DeadlineRow.approved_at.is_not(None))
        .order_by(DeadlineRow.stated_date, DeadlineRow.id)
    )
    return [_deadline(row) for row in connection.execute(statement)]


def deadline_records(connection: Connection, *, since: datetime) -> list[DeadlineRecord]:
    """The dates that were in force at some time from ``since`` on, each with its span."""
    statement = (
        select(DeadlineRow.__table__)
        .where(
            DeadlineRow.approved_at.is_not(None),
            or_(DeadlineRow.replaced_at.is_(None), DeadlineRow.replaced_at >= since),
        )
        .order_by(DeadlineRow.stated_date, DeadlineRow.id)
    )
    return [DeadlineRecord(_deadline(row), row.approved_at, row.replaced_at) for row in connection.execute(statement)]


def unconfirmed_deadlines(connection: Connection) -> list[Deadline]:
    """The dates that wait for a person to confirm them; nothing is sent for them."""
    statement = (
        select(DeadlineRow.__table__)
        .where(DeadlineRow.replaced_at.is_(None), DeadlineRow.approved_at.is_(None))
        .order_by(DeadlineRow.stated_date, DeadlineRow.id)
    )
    return [_deadline(row) for row in connection.execute(statement)]


def _deadline(row: Row[Any]) -> Deadline:
    return Deadline(
        DeadlineGroup(row.program, EntryTerm.parse(row.entry_term), Round(row.round), Residency(row.residency)),
        row.stated_date,
        row.version,
        row.cut_off_zone,
    )


def add_missing_deadlines(
    connection: Connection, deadlines: Iterable[Deadline], *, source: str, approved_by: str, now: datetime
) -> int:
    """Bring dates into force for groups that have none; give their number. A date in force is never moved by this."""
    approval = Approval(by=approved_by, at=now, source=source)
    rows = [_new_row(one, one.version, approval) for one in deadlines]
    if not rows:
        return 0
    statement = insert_or_ignore(DeadlineRow).on_conflict_do_nothing().returning(DeadlineRow.id)
    return len(connection.execute(statement, rows).all())


def add_unconfirmed_deadlines(connection: Connection, deadlines: Iterable[Deadline], *, source: str) -> int:
    """Propose dates for groups that have none, also for those whose date was cancelled; give their number."""
    rows = [_new_row(one, _next_version(connection, one.group), None) | {"source": source} for one in deadlines]
    if not rows:
        return 0
    statement = insert_or_ignore(DeadlineRow).on_conflict_do_nothing().returning(DeadlineRow.id)
    return len(connection.execute(statement, rows).all())


def put_in_force(connection: Connection, deadlines: Iterable[Deadline], approval: Approval) -> list[Deadline]:
    """Add or move dates; give those that changed, with their new versions.

    A group whose date stays as it was is left alone: that is no change (R6). An unconfirmed date of a group is
    replaced, or confirmed where it is the same. A date that was cancelled comes back as a new version.
    """
    changed = []
    for one in deadlines:
        known = _known(connection, one.group)
        if known and _is_in_force(known) and _same_date(known, one):
            continue
        version = known.version + 1 if known else 1
        if known:
            replaced = update(DeadlineRow).where(DeadlineRow.id == known.id)
            connection.execute(replaced.values(replaced_at=func.coalesce(DeadlineRow.replaced_at, approval.at)))
        connection.execute(insert(DeadlineRow), [_new_row(one, version, approval)])
        changed.append(Deadline(one.group, one.stated_date, version, one.cut_off_zone))
    return changed


def end_deadlines(connection: Connection, groups: Iterable[DeadlineGroup], *, at: datetime) -> int:
    """Take the dates of groups out of force; give their number. Their rows stay as history."""
    ended = 0
    for group in groups:
        statement = update(DeadlineRow).where(*_of_group(group), DeadlineRow.replaced_at.is_(None))
        ended += connection.execute(statement.values(replaced_at=at)).rowcount
    return ended


def _is_in_force(row: Row[Any]) -> bool:
    return row.approved_at is not None and row.replaced_at is None


def _same_date(row: Row[Any], deadline: Deadline) -> bool:
    same: bool = (row.stated_date, row.cut_off_zone) == (deadline.stated_date, deadline.cut_off_zone)
    return same


def _known(connection: Connection, group: DeadlineGroup) -> Row[Any] | None:
    statement = select(DeadlineRow.__table__).where(*_of_group(group))
    return connection.execute(statement.order_by(DeadlineRow.version.desc()).limit(1).with_for_update()).first()


def _next_version(connection: Connection, group: DeadlineGroup) -> int:
    known = _known(connection, group)
    return known.version + 1 if known else 1


def _of_group(group: DeadlineGroup) -> list[ColumnElement[bool]]:
    return [
        DeadlineRow.program == group.program,
        DeadlineRow.entry_term == str(group.entry_term),
        DeadlineRow.round == group.round.value,
        DeadlineRow.residency == group.residency.value,
    ]


def _new_row(deadline: Deadline, version: int, approval: Approval | None) -> dict[str, Any]:
    group = deadline.group
    return {
        "program": group.program,
        "entry_term": str(group.entry_term),
        "round": group.round.value,
        "residency": group.residency.value,
        "stated_date": deadline.stated_date,
        "cut_off_zone": deadline.cut_off_zone,
        "version": version,
        "source": approval.source if approval else "",
        "approved_by": approval.by if approval else None,
        "approved_at": approval.at if approval else None,
        "reason": approval.reason if approval else "",
    }
