"""Preferences: the record that they belong to, as a link finds it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from enrollment_crm.storage.models import PersonRow


@dataclass(frozen=True)
class Chooser:
    """The person whose preferences a link opens: of a record that was merged away, the one that is written to."""

    person_id: int
    zone: str
    paused_until: datetime | None


def chooser_of(connection: Connection, person_id: int, *, lock: bool = False) -> Chooser | None:
    """The person of a link; None: nobody has this id, or their data was erased."""
    columns = (PersonRow.id, PersonRow.zone, PersonRow.paused_until, PersonRow.merged_into_id, PersonRow.erased_at)
    statement = select(*columns).where(PersonRow.id == person_id)
    found = connection.execute(statement.with_for_update() if lock else statement).first()
    if found is None or found.erased_at is not None:
        return None
    if found.merged_into_id is not None:
        return chooser_of(connection, found.merged_into_id, lock=lock)
    return Chooser(found.id, found.zone, found.paused_until)
