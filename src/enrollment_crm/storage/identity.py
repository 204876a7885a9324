"""Identity: which of the records that we have a row is about, by address and by what its source calls the person.

The one place that says so for a whole batch. One address is one record, also of one that was merged into another: what
comes by it is kept with it, and reaches the person when people are matched next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, DateTime, Text, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.people import Contact
from enrollment_crm.storage.copying import staged
from enrollment_crm.storage.models import PersonReferenceRow, PersonRow
from enrollment_crm.storage.relations import Columns, relation


def identify(connection: Connection, contacts: Sequence[Contact]) -> list[int | None]:
    """For each contact the id of the record with its address, locked until the transaction ends; None: nobody's.

    Locks are taken in the order of ids, so that two who lock many people do not wait for each other.
    """
    keys = list(dict.fromkeys(one.email_key for one in contacts))
    asked = staged(connection, "asked", {"email_key": Text}, {"email_key": keys})
    statement = select(PersonRow.email_key, PersonRow.id).join(asked, asked.c.email_key == PersonRow.email_key)
    locked = statement.order_by(PersonRow.id).with_for_update(of=PersonRow)
    found = {row.email_key: row.id for row in connection.execute(locked).all()}
    return [found.get(one.email_key) for one in contacts]


@dataclass(frozen=True)
class NamedRecord:
    """A source calls a record so, by its own clock."""

    source: str
    reference: str
    person_id: int
    said_at: datetime
    received_at: datetime


def remember_references(connection: Connection, named: Iterable[NamedRecord]) -> None:
    """Keep what sources call records. Of two records with one reference the newest is meant; both are kept.

    Whether they are one person, the rules say when people are matched next.
    """
    newest = {(one.source, one.reference, one.person_id): one for one in sorted(named, key=lambda one: one.said_at)}
    if not newest:
        return
    columns: Columns = {
        "source": Text(),
        "reference": Text(),
        "person_id": BigInteger(),
        "said_at": DateTime(timezone=True),
        "received_at": DateTime(timezone=True),
    }
    values = {name: [getattr(one, name) for one in newest.values()] for name in columns}
    rows = staged(connection, "named", columns, values)
    statement = insert_or_update(PersonReferenceRow).from_select(
        list(columns), select(*(rows.c[name] for name in columns))
    )
    key = [PersonReferenceRow.source, PersonReferenceRow.reference, PersonReferenceRow.person_id]
    later = {"said_at": func.greatest(PersonReferenceRow.said_at, statement.excluded.said_at)}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=later))


def records_of_references(connection: Connection, named: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(source, reference) -> the record that the source means by it now."""
    asked = relation("asked", {"source": Text(), "reference": Text()}, named)
    row = PersonReferenceRow
    statement = (
        select(row.source, row.reference, row.person_id)
        .join(asked, and_(asked.c.source == row.source, asked.c.reference == row.reference))
        .ext(distinct_on(row.source, row.reference))
        .order_by(row.source, row.reference, row.said_at.desc(), row.person_id.desc())
    )
    return {(one.source, one.reference): one.person_id for one in connection.execute(statement)}
