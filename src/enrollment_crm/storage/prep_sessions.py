"""Prep sessions as they stand, and who registered for them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.storage.models import PrepSessionRow, RegistrationRow


def prep_sessions_after(connection: Connection, now: datetime) -> list[PrepSession]:
    """Sessions that have not begun and are not cancelled, earliest first."""
    return _sessions(connection, PrepSessionRow.starts > now, PrepSessionRow.cancelled_at.is_(None))


def cancelled_prep_sessions_after(connection: Connection, now: datetime) -> list[PrepSession]:
    """Sessions that were cancelled and would not have begun yet, earliest first."""
    return _sessions(connection, PrepSessionRow.starts > now, PrepSessionRow.cancelled_at.is_not(None))


def _sessions(connection: Connection, *conditions: ColumnElement[bool]) -> list[PrepSession]:
    statement = select(PrepSessionRow.__table__).where(*conditions).order_by(PrepSessionRow.starts, PrepSessionRow.id)
    return [_prep_session(row) for row in connection.execute(statement)]


def prep_session(connection: Connection, prep_session_id: str) -> PrepSession | None:
    """One session, also one that is over or cancelled; None: nobody knows it."""
    statement = select(PrepSessionRow.__table__).where(PrepSessionRow.id == prep_session_id)
    row = connection.execute(statement).first()
    return _prep_session(row) if row else None


def _prep_session(row: Row[Any]) -> PrepSession:
    return PrepSession(
        id=row.id,
        title=row.title,
        starts=row.starts,
        zone=row.zone,
        minutes=row.minutes,
        location=row.location,
        url=row.url,
        sequence=row.sequence,
        changed_at=row.changed_at,
        cancelled_at=row.cancelled_at,
    )


def every_prep_session(connection: Connection) -> list[PrepSession]:
    """Every session, also those that are over or were cancelled, earliest first."""
    return _sessions(connection)


def prep_sessions_of_person(connection: Connection, person_id: int) -> list[PrepSession]:
    """Every session that the person registered for, also those that are over or were cancelled, earliest first."""
    theirs = select(RegistrationRow.prep_session_id).where(RegistrationRow.person_id == person_id)
    return _sessions(connection, PrepSessionRow.id.in_(theirs))


def prep_sessions_of_source(connection: Connection, source: str) -> list[str]:
    """The ids of the sessions that were read at one place."""
    return list(connection.execute(select(PrepSessionRow.id).where(PrepSessionRow.source == source)).scalars())


def add_missing_prep_sessions(
    connection: Connection, sessions: Iterable[PrepSession], *, source: str = "", now: datetime
) -> int:
    """Add sessions that are not known yet; a known one is not changed by this. Gives the number added."""
    rows = [{**vars(session), "changed_at": now, "source": source} for session in sessions]
    if not rows:
        return 0
    statement = insert_or_ignore(PrepSessionRow).on_conflict_do_nothing().returning(PrepSessionRow.id)
    return len(connection.execute(statement, rows).all())


def move_prep_session(connection: Connection, prep_session_id: str, *, starts: datetime, now: datetime) -> bool:
    """Give a session another start; False where it is unknown, cancelled, or begins then already.

    Its sequence grows: calendar files follow it (RFC 5545 SEQUENCE).
    """
    statement = update(PrepSessionRow).where(
        PrepSessionRow.id == prep_session_id,
        PrepSessionRow.cancelled_at.is_(None),
        PrepSessionRow.starts != starts,
    )
    values = {"starts": starts, "sequence": PrepSessionRow.sequence + 1, "changed_at": now}
    return connection.execute(statement.values(values)).rowcount == 1


def change_prep_session(connection: Connection, session: PrepSession, *, is_told: bool, now: datetime) -> bool:
    """Make a session what it shall be; False where it is unknown, cancelled or has begun.

    Where those who registered are told, its sequence grows, as in ``move_prep_session``.
    """
    statement = update(PrepSessionRow).where(
        PrepSessionRow.id == session.id, PrepSessionRow.cancelled_at.is_(None), PrepSessionRow.starts > now
    )
    told: dict[str, Any] = {"sequence": PrepSessionRow.sequence + 1, "changed_at": now} if is_told else {}
    names = ("title", "starts", "zone", "minutes", "location", "url")
    values = {name: getattr(session, name) for name in names}
    return connection.execute(statement.values(**values, **told)).rowcount == 1


def cancel_prep_session(connection: Connection, prep_session_id: str, *, now: datetime) -> bool:
    """Cancel a session; False where it is unknown or cancelled already."""
    statement = update(PrepSessionRow).where(
        PrepSessionRow.id == prep_session_id, PrepSessionRow.cancelled_at.is_(None)
    )
    values = {"sequence": PrepSessionRow.sequence + 1, "cancelled_at": now}
    return connection.execute(statement.values(values)).rowcount == 1


def register(connection: Connection, *, person_id: int, prep_session_id: str, at: datetime) -> bool:
    """Register a person; False where the session is unknown, has begun or is cancelled. Twice is once."""
    known = select(PrepSessionRow.id).where(
        PrepSessionRow.id == prep_session_id,
        PrepSessionRow.starts > at,
        PrepSessionRow.cancelled_at.is_(None),
    )
    if connection.execute(known).first() is None:
        return False
    values = {"person_id": person_id, "prep_session_id": prep_session_id, "registered_at": at}
    connection.execute(insert_or_ignore(RegistrationRow).values(values).on_conflict_do_nothing())
    return True
