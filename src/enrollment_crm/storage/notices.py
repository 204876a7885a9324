"""Notices: a date or a session that people count on has changed, or their seat is confirmed (R9, R10)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, exists, func, literal, or_, select

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.notices import MovedDate
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.claims import Claim, DueCount, claim_some, not_yet_covered
from enrollment_crm.storage.models import (
    CoverRow,
    InterestRow,
    PersonRow,
    PrepSessionRow,
    RegistrationRow,
)
from enrollment_crm.storage.withholding import withheld_reason, withheld_then

_Rows = Select[*tuple[Any, ...]]


def count_moved(connection: Connection, moved: MovedDate, *, topic: str) -> DueCount:
    """How many people are to be told that the date has moved."""
    return _count(connection, told_of_moved(moved, topic))


def claim_moved(
    connection: Connection, moved: MovedDate, *, topic: str, limit: int, lease: timedelta, now: datetime
) -> Claim:
    """Claim the notices of up to ``limit`` people."""
    rows = told_of_moved(moved, topic)
    return claim_some(connection, rows, kind=MessageKind.DEADLINE_MOVED, limit=limit, lease=lease, now=now)


def count_session_notices(connection: Connection, kind: MessageKind, *, topic: str, now: datetime) -> DueCount:
    """How many confirmations, or notices of moved or cancelled sessions, are owed."""
    return _count(connection, owed_session_notices(kind, topic, now))


def is_anybody_registered(connection: Connection) -> bool:
    """Whether a seat in any session is taken: without one no notice of a session is owed."""
    return connection.execute(select(select(RegistrationRow.person_id).exists())).scalar_one()


def claim_session_notices(
    connection: Connection, kind: MessageKind, *, topic: str, limit: int, lease: timedelta, now: datetime
) -> Claim:
    """Claim up to ``limit`` of them."""
    rows = owed_session_notices(kind, topic, now)
    return claim_some(connection, rows, kind=kind, limit=limit, lease=lease, now=now)


def _count(connection: Connection, rows: _Rows) -> DueCount:
    due = rows.subquery()
    counts = select(func.count(), func.count().filter(due.c.withheld.is_(None))).select_from(due)
    return DueCount(*connection.execute(counts).one())


def told_of_moved(moved: MovedDate, topic: str) -> _Rows:
    """R9: those who follow the date, were reminded of the old one, and from whom nothing is withheld."""
    kind = MessageKind.DEADLINE_MOVED
    about = {"program": InterestRow.program, "entry_term": InterestRow.entry_term}
    withheld = withheld_then(literal(moved.at), kind, topic=topic, **about)
    key: dict[str, ColumnElement[Any]] = {
        "program": literal(moved.program),
        "entry_term": literal(moved.entry_term),
        "round": literal(moved.round),
        "stated_date": literal(moved.new_date),
        "offset": literal(moved.offset),
    }
    return (
        select(
            PersonRow.id.label("person_id"),
            *(value.label(name) for name, value in key.items()),
            literal(moved.at).label("due_at"),
            withheld.label("withheld"),
        )
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .where(
            InterestRow.program == moved.program,
            InterestRow.entry_term == moved.entry_term,
            InterestRow.since <= moved.at,
            PersonRow.residency == moved.residency,
            PersonRow.needs_routing.is_(False),
            withheld.is_(None),
            _was_reminded_of_old(moved),
            not_yet_covered(kind, PersonRow.id, **key),
        )
        .order_by(PersonRow.id)
    )


def _was_reminded_of_old(moved: MovedDate) -> ColumnElement[bool]:
    sent = or_(CoverRow.message_row_id.is_not(None), CoverRow.withheld == WithholdReason.ALREADY_SENT.value)
    reminded = select(1).where(
        CoverRow.person_id == PersonRow.id,
        CoverRow.kind == MessageKind.DEADLINE_REMINDER.value,
        CoverRow.program == moved.program,
        CoverRow.entry_term == moved.entry_term,
        CoverRow.round == moved.round,
        CoverRow.stated_date == moved.old_date,
        ~CoverRow.released,
        sent,
    )
    return exists(reminded.correlate_except(CoverRow))


def owed_session_notices(kind: MessageKind, topic: str, now: datetime) -> _Rows:
    """R10: at once, at any hour, to those registered then, as long as the session has not begun."""
    concerned, told_at, version = _concerned(kind)
    key: dict[str, Any] = {"prep_session_id": PrepSessionRow.id, "session_starts": PrepSessionRow.starts}
    if version is not None:
        key["offset"] = version
    return (
        select(
            PersonRow.id.label("person_id"),
            *(value.label(name) for name, value in key.items()),
            told_at.label("due_at"),
            withheld_reason(kind, topic=topic).label("withheld"),
        )
        .select_from(RegistrationRow)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .join(PrepSessionRow, PrepSessionRow.id == RegistrationRow.prep_session_id)
        .where(PrepSessionRow.starts > now, *concerned, not_yet_covered(kind, PersonRow.id, **key))
        .order_by(PersonRow.id)
    )


def _concerned(kind: MessageKind) -> tuple[list[ColumnElement[bool]], Any, ColumnElement[str] | None]:
    """Whom a notice concerns, when it fell due, and what tells two of one start apart."""
    if kind is MessageKind.SESSION_CANCELLED:
        return [RegistrationRow.registered_at <= PrepSessionRow.cancelled_at], PrepSessionRow.cancelled_at, None
    if kind is MessageKind.SESSION_MOVED:
        moved = [
            PrepSessionRow.sequence > 0,
            PrepSessionRow.cancelled_at.is_(None),
            RegistrationRow.registered_at <= PrepSessionRow.changed_at,
        ]
        return moved, PrepSessionRow.changed_at, literal("v").op("||")(cast(PrepSessionRow.sequence, Text))
    confirmed = select(1).where(
        CoverRow.person_id == PersonRow.id,
        CoverRow.kind == kind.value,
        CoverRow.prep_session_id == RegistrationRow.prep_session_id,
    )
    unconfirmed = ~exists(confirmed.correlate_except(CoverRow))
    return [PrepSessionRow.cancelled_at.is_(None), unconfirmed], RegistrationRow.registered_at, None
