"""How records stand: live, merged away, erased, and whether their address is dead."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from enrollment_crm.domain.suppressions import DEAD
from enrollment_crm.storage.models import PersonRow
from enrollment_crm.storage.suppressions import is_suppressed


@dataclass(frozen=True)
class Standing:
    """A record, and whether anybody is written to by it."""

    person_id: int
    merged_into_id: int | None
    is_erased: bool
    is_bounced: bool


def standing_of(connection: Connection, ids: Sequence[int]) -> list[Standing]:
    """How these records stand, by id."""
    erased, dead = PersonRow.erased_at.is_not(None), is_suppressed(DEAD)
    statement = select(PersonRow.id, PersonRow.merged_into_id, erased, dead).where(PersonRow.id == func.any(list(ids)))
    return [Standing(*row) for row in connection.execute(statement.order_by(PersonRow.id))]
