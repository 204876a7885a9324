"""How records stand: live, merged away, erased, and whether their address is dead."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from enrollment_crm.storage.models import PersonRow


@dataclass(frozen=True)
class Standing:
    """A record, and whether anybody is written to by it."""

    person_id: int
    merged_into_id: int | None
    is_erased: bool
    is_bounced: bool


def standing_of(connection: Connection, ids: Sequence[int]) -> list[Standing]:
    """How these records stand, by id."""
    person = PersonRow.__table__.c
    statement = select(
        person.id, person.merged_into_id, person.erased_at.is_not(None), person.bounced_at.is_not(None)
    ).where(person.id == func.any(list(ids)))
    return [Standing(*row) for row in connection.execute(statement.order_by(person.id))]
