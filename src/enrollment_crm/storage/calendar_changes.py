"""Changes of the calendar: one at a time, each recorded, none made on a calendar that has changed meanwhile."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, insert, select, text

from enrollment_crm.domain.deadlines import DeadlineGroup, Round
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.models import CalendarChangeRow, DeadlineRow, InterestRow, PersonRow, PrepSessionRow

#: Advisory lock (any constant of our own): two changes side by side wait for each other.
_CALENDAR_LOCK = 7_204_119


@dataclass(frozen=True)
class CalendarChange:
    """A plan that was applied."""

    plan: str
    applied_at: datetime
    applied_by: str
    reason: str
    source: str
    #: Each change in words.
    changes: Sequence[str]


@dataclass(frozen=True)
class DeadlineEntry:
    """A date of the register with its history: in force, or waiting to be confirmed (not approved)."""

    group: DeadlineGroup
    stated_date: date
    cut_off_zone: str
    version: int
    source: str
    approved_by: str | None
    approved_at: datetime | None
    reason: str


def lock_calendar(connection: Connection) -> None:
    """Wait for other changes of the calendar to end, and keep new ones waiting until this transaction does."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CALENDAR_LOCK})


def calendar_fingerprint(connection: Connection) -> str:
    """A hash over every date that is in force or waits, and every session: the same while nobody changes them."""
    dates = select(
        DeadlineRow.program,
        DeadlineRow.entry_term,
        DeadlineRow.round,
        DeadlineRow.residency,
        DeadlineRow.stated_date,
        DeadlineRow.cut_off_zone,
        DeadlineRow.version,
        DeadlineRow.approved_at,
    ).where(DeadlineRow.replaced_at.is_(None))
    sessions = select(*(column for column in PrepSessionRow.__table__.c if column.name not in ("source", "changed_at")))
    rows = [
        [str(value) for value in row]
        for statement in (dates.order_by(DeadlineRow.id), sessions.order_by(PrepSessionRow.id))
        for row in connection.execute(statement)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def calendar_change(connection: Connection, plan: str) -> CalendarChange | None:
    """The change that a plan has made; None: it was not applied."""
    statement = select(CalendarChangeRow.__table__).where(CalendarChangeRow.plan == plan)
    row = connection.execute(statement).first()
    return CalendarChange(**row._mapping) if row else None


def record_calendar_change(connection: Connection, change: CalendarChange) -> None:
    """Keep who changed the calendar, when, why and what."""
    connection.execute(insert(CalendarChangeRow).values({**vars(change), "changes": list(change.changes)}))


def deadline_entries(connection: Connection) -> list[DeadlineEntry]:
    """Every date that is in force or waits to be confirmed, earliest first."""
    statement = (
        select(DeadlineRow.__table__)
        .where(DeadlineRow.replaced_at.is_(None))
        .order_by(DeadlineRow.stated_date, DeadlineRow.id)
    )
    return [
        DeadlineEntry(
            DeadlineGroup(row.program, EntryTerm.parse(row.entry_term), Round(row.round), Residency(row.residency)),
            row.stated_date,
            row.cut_off_zone,
            row.version,
            row.source,
            row.approved_by,
            row.approved_at,
            row.reason,
        )
        for row in connection.execute(statement)
    ]


def count_followers(connection: Connection) -> dict[tuple[str, str, str], int]:
    """Program, term and residency group -> how many routed people are in it; erased and merged ones are not."""
    statement = (
        select(InterestRow.program, InterestRow.entry_term, PersonRow.residency, func.count())
        .join(PersonRow, PersonRow.id == InterestRow.person_id)
        .where(
            InterestRow.entry_term.is_not(None),
            PersonRow.needs_routing.is_(False),
            PersonRow.erased_at.is_(None),
            PersonRow.merged_into_id.is_(None),
        )
        .group_by(InterestRow.program, InterestRow.entry_term, PersonRow.residency)
    )
    return {(row[0], str(row[1]), row[2]): row[3] for row in connection.execute(statement)}
