"""Feedback: bounces and complaints, kept with the person whose address they are about (R7)."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from enrollment_crm.domain.bounces import Bounce
from enrollment_crm.storage.models import BounceRow, PersonRow


def record_bounce(connection: Connection, bounce: Bounce, *, person_id: int) -> list[Bounce]:
    """Keep a bounce; give all that the person's address has had, this one with them."""
    connection.execute(insert(BounceRow).values(person_id=person_id, status=bounce.status, at=bounce.at))
    statement = select(BounceRow.status, BounceRow.at).where(BounceRow.person_id == person_id)
    return [Bounce(row.status, row.at) for row in connection.execute(statement)]


def record_bounced_address(connection: Connection, *, person_id: int, at: datetime) -> None:
    """The address does not exist (R7): nothing more is written to it."""
    statement = update(PersonRow).where(PersonRow.id == person_id, PersonRow.bounced_at.is_(None))
    connection.execute(statement.values(bounced_at=at))


def record_complaint(connection: Connection, *, person_id: int, at: datetime) -> None:
    """The person reported a message as spam: nothing more is written to them, and no signup lifts that."""
    statement = update(PersonRow).where(PersonRow.id == person_id, PersonRow.complained_at.is_(None))
    connection.execute(statement.values(complained_at=at))
