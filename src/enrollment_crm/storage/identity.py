"""Identity: which of the people whom we know a record is about.

The one place that says so for a whole batch. Whoever it finds stays locked until the transaction ends.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Text, func, select

from enrollment_crm.domain.people import Contact
from enrollment_crm.storage.copying import staged
from enrollment_crm.storage.models import PersonRow


def identify(connection: Connection, contacts: Sequence[Contact]) -> list[int | None]:
    """For each contact the id of the person who it is, locked; None: nobody whom we know.

    Of a record that was merged away, it is the one that it was merged into. Locks are taken in the order of ids, so
    that two who lock many people do not wait for each other.
    """
    keys = list(dict.fromkeys(one.email_key for one in contacts))
    found = _by_address(connection, keys)
    while found and not _lock(connection, found.values()):  # somebody merged one of them while we waited
        found = _by_address(connection, keys)
    return [found.get(one.email_key) for one in contacts]


def _by_address(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Key of an address -> the record that counts for it."""
    asked = staged(connection, "asked", {"email_key": Text}, {"email_key": keys})
    statement = select(PersonRow.email_key, PersonRow.id, PersonRow.merged_into_id)
    rows = connection.execute(statement.join(asked, asked.c.email_key == PersonRow.email_key)).all()
    counts_for = _ends_of_merges(connection, {row.id: row.merged_into_id for row in rows})
    return {row.email_key: counts_for[row.id] for row in rows}


def _ends_of_merges(connection: Connection, merged_into: dict[int, int | None]) -> dict[int, int]:
    """Id of a record -> the one that is written to instead of it: itself, where it was not merged."""
    asked = list(merged_into)
    while ahead := [one for one in merged_into.values() if one is not None and one not in merged_into]:
        statement = select(PersonRow.id, PersonRow.merged_into_id).where(PersonRow.id == func.any(ahead))
        merged_into |= {row.id: row.merged_into_id for row in connection.execute(statement)}
    return {one: _end_of(one, merged_into) for one in asked}


def _end_of(person_id: int, merged_into: dict[int, int | None]) -> int:
    while (following := merged_into[person_id]) is not None:
        person_id = following
    return person_id


def _lock(connection: Connection, ids: Iterable[int]) -> bool:
    """Lock people in the order of their ids; whether each of them still counts for itself."""
    statement = select(PersonRow.merged_into_id).where(PersonRow.id == func.any(sorted(set(ids))))
    return all(one is None for one in connection.execute(statement.order_by(PersonRow.id).with_for_update()).scalars())
