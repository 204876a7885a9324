"""A schema of its own for a rehearsal, and what the ledger and the reviews hold at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, delete, func, select, text

from enrollment_crm.storage.models import Base, CoverRow, MessageRow, PersonRow, ReviewRow


@contextmanager
def scratch_schema(engine: Engine, name: str) -> Iterator[Engine]:
    """An engine that sees only a new, empty schema of the same database; it is dropped at the end.

    Nothing of the real tables can be read or written through it.
    """
    with engine.begin() as connection:
        connection.execute(text(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'))
        connection.execute(text(f'CREATE SCHEMA "{name}"'))
    options = f"-csearch_path={name} -csynchronous_commit=off"
    scratch = create_engine(engine.url, connect_args={"options": options}, pool_size=8, hide_parameters=True)
    try:
        yield scratch
    finally:
        scratch.dispose()
        with engine.begin() as connection:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'))


def empty_tables(connection: Connection) -> None:
    """Take every row out of every table."""
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(delete(table))


@dataclass(frozen=True)
class RecordedCover:
    """One key that a message covered, or that was withheld."""

    person_id: int
    kind: str
    key: Row[Any]
    at: datetime
    withheld: str | None
    message_id: int | None
    message_kind: str | None


def recorded_covers(connection: Connection) -> list[RecordedCover]:
    """Every key of the ledger with what became of it, as it happened."""
    withheld = func.coalesce(CoverRow.withheld, MessageRow.withheld).label("reason")
    statement = (
        select(CoverRow.__table__, withheld, MessageRow.kind.label("message_kind"))
        .outerjoin(MessageRow, MessageRow.id == CoverRow.message_row_id)
        .order_by(CoverRow.recorded_at, CoverRow.message_row_id, CoverRow.stated_date, CoverRow.entry_term, CoverRow.id)
    )
    return [
        RecordedCover(row.person_id, row.kind, row, row.recorded_at, row.reason, row.message_row_id, row.message_kind)
        for row in connection.execute(statement)
    ]


def recorded_reviews(connection: Connection) -> list[tuple[int, str, str, datetime]]:
    """Every review: the person, what it is about, the detail, and when it was opened."""
    statement = select(ReviewRow.person_id, ReviewRow.about, ReviewRow.detail, ReviewRow.opened_at)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(statement.order_by(ReviewRow.id))]


def addresses_of_people(connection: Connection) -> dict[int, str]:
    """Id -> the address that is written to. pii: stays in the rehearsal."""
    statement = select(PersonRow.id, PersonRow.email).where(PersonRow.erased_at.is_(None))
    return {row.id: row.email for row in connection.execute(statement)}
