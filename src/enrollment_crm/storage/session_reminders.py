"""Reminders of prep sessions: those who registered, counted or claimed (R10)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, distinct, func, literal, select

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.session_reminders import DueSession
from enrollment_crm.storage.claims import Claim, DueCount, claim_due, not_yet_covered
from enrollment_crm.storage.models import MESSAGE_IDS, PersonRow, RegistrationRow
from enrollment_crm.storage.withholding import withheld_reason


def count_due_registrations(connection: Connection, due: DueSession, *, topic: str) -> DueCount:
    """How many of those who registered for the session are due."""
    rows = covers_of_session(due, topic).subquery()
    people = func.count(distinct(rows.c.person_id))
    counts = connection.execute(select(people, people.filter(rows.c.withheld.is_(None)))).one()
    return DueCount(counts[0], counts[1])


def claim_due_registrations(
    connection: Connection, due: DueSession, *, topic: str, limit: int, lease: timedelta, now: datetime
) -> Claim:
    """Claim the reminders of up to ``limit`` registered people."""
    people = covers_of_session(due, topic).limit(limit).with_for_update(of=PersonRow, skip_locked=True).cte("people")
    rows = select(MESSAGE_IDS.next_value().label("message_id"), *people.c)
    return claim_due(connection, rows, kind=MessageKind.SESSION_REMINDER, lease=lease, now=now)


def covers_of_session(due: DueSession, topic: str) -> Select[*tuple[Any, ...]]:
    """One row a registered person whose reminder has no cover yet."""
    key: dict[str, ColumnElement[Any]] = {
        "prep_session_id": literal(due.prep_session.id),
        "session_starts": literal(due.prep_session.starts),
        "offset": literal(due.offset),
    }
    by_person = withheld_reason(MessageKind.SESSION_REMINDER, topic=topic)
    withheld = literal(due.withheld.value) if due.withheld else by_person
    return (
        select(
            PersonRow.id.label("person_id"),
            *(value.label(name) for name, value in key.items()),
            literal(due.instant).label("due_at"),
            withheld.label("withheld"),
        )
        .join(RegistrationRow, RegistrationRow.person_id == PersonRow.id)
        .where(
            RegistrationRow.prep_session_id == due.prep_session.id,
            RegistrationRow.registered_at <= due.instant,
            not_yet_covered(MessageKind.SESSION_REMINDER, PersonRow.id, **key),
        )
    )
