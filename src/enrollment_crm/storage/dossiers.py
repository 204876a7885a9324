"""Dossiers: every row of every table that is about one person, whatever tables there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select, tuple_

from enrollment_crm.domain.suppressions import DEAD
from enrollment_crm.storage.models import (
    ApplicationReferenceRow,
    ApplicationRow,
    Base,
    ChecklistItemRow,
    InboxRow,
    MessageRow,
    PersonReferenceRow,
    PersonRow,
    SuppressionRow,
)
from enrollment_crm.storage.models.compression import CompressedBytes
from enrollment_crm.storage.suppressions import is_suppressed

#: A row, by column.
HeldRow = dict[str, Any]


def rows_held(connection: Connection, ids: Sequence[int], *, inbox_ids: Sequence[int]) -> dict[str, list[HeldRow]]:
    """Table -> the rows about the person of these records, without what was frozen as bytes. pii: all of it.

    What names a person, one of their applications or one of their raw rows is theirs: a table that is added later is
    found by its foreign keys.
    """
    held = {}
    for table in Base.metadata.sorted_tables:
        theirs = _condition(table, ids, inbox_ids)
        if theirs is None:
            continue
        columns = [column for column in table.c if not isinstance(column.type, CompressedBytes)]
        statement = select(*columns).where(theirs).order_by(*table.primary_key.columns)
        rows = [dict(row) for row in connection.execute(statement).mappings()]
        if rows:
            held[table.name] = rows
    return held


def _condition(table: Table, ids: Sequence[int], inbox_ids: Sequence[int]) -> ColumnElement[bool] | None:
    applications = select(ApplicationRow.id).where(ApplicationRow.person_id.in_(ids))
    messages = select(MessageRow.id).where(MessageRow.person_id.in_(ids))
    keys: dict[str, Any] = {"person": ids, "application": applications, "inbox": inbox_ids, "message": messages}
    theirs = [
        key.parent.in_(keys[key.column.table.name]) for key in table.foreign_keys if key.column.table.name in keys
    ]
    if table is PersonRow.__table__ or table is InboxRow.__table__:
        theirs = [table.c.id.in_(keys[table.name])]
    if table is ChecklistItemRow.__table__:
        named = tuple_(table.c.application_source, table.c.application_reference)
        reference = ApplicationReferenceRow
        called = select(reference.source, reference.reference).where(reference.application_id.in_(applications))
        theirs = [named.in_(called)]
    if table is SuppressionRow.__table__:
        theirs = [table.c.email_key.in_(select(PersonRow.email_key).where(PersonRow.id.in_(ids)))]
    return or_(*theirs) if theirs else None


@dataclass(frozen=True)
class ExactMessage:
    """A message as it was frozen. pii: the bytes."""

    id: int
    kind: str
    content: bytes


def exact_messages(connection: Connection, ids: Sequence[int]) -> list[ExactMessage]:
    """The messages of these records that were written, byte for byte."""
    row = MessageRow.__table__.c
    statement = select(row.id, row.kind, row.content).where(row.person_id.in_(ids), row.content.is_not(None))
    return [ExactMessage(*one) for one in connection.execute(statement.order_by(row.id))]


@dataclass(frozen=True)
class KnownRecord:
    """One record of a person: an address that they are known by. pii."""

    id: int
    email: str
    is_written_to: bool
    is_bounced: bool


@dataclass(frozen=True)
class KnownReference:
    """What a source calls a person. pii."""

    source: str
    reference: str
    record: int


def records_known(connection: Connection, ids: Sequence[int]) -> list[KnownRecord]:
    """The records of a person, the one that is written to first."""
    person = PersonRow
    statement = (
        select(person.id, person.email, person.merged_into_id.is_(None), is_suppressed(DEAD))
        .where(person.id.in_(ids))
        .order_by(person.merged_into_id.is_not(None), person.id)
    )
    return [KnownRecord(*row) for row in connection.execute(statement)]


def references_known(connection: Connection, ids: Sequence[int]) -> list[KnownReference]:
    """What sources call the person of these records."""
    row = PersonReferenceRow
    statement = select(row.source, row.reference, row.person_id).where(row.person_id.in_(ids))
    return [KnownReference(*one) for one in connection.execute(statement.order_by(row.source, row.reference))]


def facts_row(connection: Connection, person_id: int) -> Any:
    """The row of a person from which ``facts_in`` reads what was said of them. pii."""
    return connection.execute(select(PersonRow.__table__).where(PersonRow.id == person_id)).one()
