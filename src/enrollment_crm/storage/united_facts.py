"""What several records say together of their one person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from enrollment_crm.domain.person_facts import Facts, is_same_fact, newest_facts
from enrollment_crm.domain.zones import choose_zone
from enrollment_crm.storage.models import PersonRow
from enrollment_crm.storage.people import turn_interests
from enrollment_crm.storage.person_facts import columns_of, facts_in


def rows_of_records(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """The rows of these records, by id."""
    statement = select(PersonRow.__table__).where(PersonRow.id == func.any(list(ids))).order_by(PersonRow.id)
    return list(connection.execute(statement))


def unite_facts(
    connection: Connection, *, stays: int, own: Facts, own_zone: str, records: Sequence[int], at: datetime
) -> None:
    """The person says what is newest of their own facts and of those of the records merged into them.

    Their zone follows: it is stated, or that of the record whose country holds (R4). Another zone is a turn (R6).
    """
    rows = rows_of_records(connection, [stays, *records])
    before = next(row.zone for row in rows if row.id == stays)
    theirs = [(facts_in(row), row.zone) for row in rows if row.id != stays]
    holds = newest_facts(own, *(facts for facts, _ in theirs))
    zone = _zone_of(holds, [(own, own_zone), *theirs])
    connection.execute(update(PersonRow).where(PersonRow.id == stays).values(**columns_of(holds), zone=zone))
    if zone != before:
        turn_interests(connection, person_id=stays, at=at)


def _zone_of(holds: Facts, said: Sequence[tuple[Facts, str]]) -> str:
    stated = choose_zone(holds["time_zone"].value if "time_zone" in holds else None, None, country_zones={})
    if stated.basis == "stated" or "country" not in holds:
        return stated.zone
    return next(zone for facts, zone in said if is_same_fact(facts.get("country"), holds["country"]))
