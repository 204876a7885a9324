"""Reminders: the people of a due cell or session, counted or claimed."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Select,
    Text,
    Values,
    and_,
    case,
    column,
    distinct,
    func,
    literal,
    select,
    values,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import DueCell, DueSession
from enrollment_crm.storage.claims import Claim, DueCount, claim_due, not_yet_covered
from enrollment_crm.storage.models import MESSAGE_IDS, InterestRow, PersonRow, RegistrationRow, SweepRow
from enrollment_crm.storage.withholding import withheld_reason

_SWEEP = "reminders"


def zones_of_people(connection: Connection) -> list[str]:
    """The zones that people live by. A loose index scan: its cost grows with the zones, not with the people."""
    first = select(func.min(PersonRow.zone).label("zone")).cte("zones", recursive=True)
    following = select(select(func.min(PersonRow.zone)).where(PersonRow.zone > first.c.zone).scalar_subquery()).where(
        first.c.zone.is_not(None)
    )
    every = first.union_all(following)
    return list(connection.execute(select(every.c.zone).where(every.c.zone.is_not(None))).scalars())


def swept_until(connection: Connection) -> datetime | None:
    """The instant up to which every point has been looked at; None before the first sweep."""
    statement = select(SweepRow.swept_until).where(SweepRow.name == _SWEEP)
    return connection.execute(statement).scalar_one_or_none()


def record_sweep(connection: Connection, until: datetime) -> None:
    """Remember how far has been swept; it never goes back."""
    statement = insert_or_update(SweepRow).values(name=_SWEEP, swept_until=until)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[SweepRow.name],
            set_={"swept_until": func.greatest(SweepRow.swept_until, statement.excluded.swept_until)},
        )
    )


def count_due_people(connection: Connection, cell: DueCell, *, topic: str) -> DueCount:
    """How many people of the cell are due."""
    return _count(connection, _covers_of_cell(cell, topic))


def _count(connection: Connection, covers: Select[*tuple[Any, ...]]) -> DueCount:
    due = covers.subquery()
    people = func.count(distinct(due.c.person_id))
    row = connection.execute(select(people, people.filter(due.c.withheld.is_(None)))).one()
    return DueCount(row[0], row[1])


def claim_due_people(
    connection: Connection, cell: DueCell, *, topic: str, limit: int, lease: timedelta, now: datetime
) -> Claim:
    """Claim the messages of up to ``limit`` people of the cell; people whom another worker holds are left to it."""
    people = _people_of_cell(cell, topic, limit).cte("people").prefix_with("MATERIALIZED")
    covers = _covers_of_cell(cell, topic).subquery("covers")
    due = select(people.c.message_id, *covers.c).join(covers, covers.c.person_id == people.c.person_id)
    return claim_due(connection, due, kind=MessageKind.DEADLINE_REMINDER, lease=lease, now=now)


def _people_of_cell(cell: DueCell, topic: str, limit: int) -> Select[*tuple[Any, ...]]:
    concerned = _covers_of_cell(cell, topic).subquery("concerned")
    return (
        select(PersonRow.id.label("person_id"), MESSAGE_IDS.next_value().label("message_id"))
        .where(PersonRow.id.in_(select(concerned.c.person_id)))
        .limit(limit)
        .with_for_update(of=PersonRow, skip_locked=True)
    )


def _covers_of_cell(cell: DueCell, topic: str) -> Select[*tuple[Any, ...]]:
    """One row a person and point that has no cover yet; ``withheld`` from the point itself, else from R7."""
    point = _points(cell)
    by_person = withheld_reason(
        MessageKind.DEADLINE_REMINDER,
        topic=topic,
        program=InterestRow.program,
        entry_term=InterestRow.entry_term,
    )
    withheld = case((point.c.withheld != "", point.c.withheld), else_=by_person)
    return (
        select(
            PersonRow.id.label("person_id"),
            *(point.c[key] for key in ("program", "entry_term", "round", "stated_date", "offset")),
            literal(cell.instant).label("due_at"),
            withheld.label("withheld"),
        )
        .select_from(PersonRow)
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .join(point, _is_theirs(point))
        .where(*_lives_in(cell), InterestRow.since <= cell.instant, _open(point))
    )


def _points(cell: DueCell) -> Values:
    texts = ("program", "entry_term", "round", "residency", "offset", "withheld")
    columns = [column(name, Text) for name in texts]
    return values(*columns, column("stated_date", Date), name="point").data(
        [
            (
                one.program,
                one.entry_term,
                one.round,
                one.residency,
                one.offset,
                one.withheld or "",
                one.stated_date,
            )
            for one in cell.points
        ]
    )


def _is_theirs(point: Values) -> ColumnElement[bool]:
    return and_(
        point.c.program == InterestRow.program,
        point.c.entry_term == InterestRow.entry_term,
        point.c.residency == PersonRow.residency,
    )


def _lives_in(cell: DueCell) -> tuple[ColumnElement[bool], ...]:
    residencies = sorted({one.residency for one in cell.points})
    return (
        PersonRow.zone == cell.zone,
        PersonRow.residency.in_(residencies),
        PersonRow.needs_routing.is_(False),
    )


def _open(point: Values) -> ColumnElement[bool]:
    keys = {key: point.c[key] for key in ("program", "entry_term", "round", "stated_date", "offset")}
    return not_yet_covered(MessageKind.DEADLINE_REMINDER, PersonRow.id, **keys)


def count_due_registrations(connection: Connection, due: DueSession, *, topic: str) -> DueCount:
    """How many of those who registered for the session are due."""
    return _count(connection, _covers_of_session(due, topic))


def claim_due_registrations(
    connection: Connection, due: DueSession, *, topic: str, limit: int, lease: timedelta, now: datetime
) -> Claim:
    """Claim the reminders of up to ``limit`` registered people."""
    covers = _covers_of_session(due, topic)
    people = covers.limit(limit).with_for_update(of=PersonRow, skip_locked=True).cte("people")
    rows = select(MESSAGE_IDS.next_value().label("message_id"), *people.c)
    return claim_due(connection, rows, kind=MessageKind.SESSION_REMINDER, lease=lease, now=now)


def _covers_of_session(due: DueSession, topic: str) -> Select[*tuple[Any, ...]]:
    key: dict[str, ColumnElement[Any]] = {
        "prep_session_id": literal(due.prep_session.id),
        "session_starts": literal(due.prep_session.starts),
        "offset": literal(due.offset),
    }
    return (
        select(
            PersonRow.id.label("person_id"),
            *(value.label(name) for name, value in key.items()),
            literal(due.instant).label("due_at"),
            withheld_reason(MessageKind.SESSION_REMINDER, topic=topic).label("withheld"),
        )
        .join(RegistrationRow, RegistrationRow.person_id == PersonRow.id)
        .where(
            RegistrationRow.prep_session_id == due.prep_session.id,
            RegistrationRow.registered_at <= due.instant,
            not_yet_covered(MessageKind.SESSION_REMINDER, PersonRow.id, **key),
        )
    )
