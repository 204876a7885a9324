"""Traces: by what one person is called everywhere, and the raw rows of the inbox that are about them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, delete, func, or_, select, update

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.batches import BatchStep, InboxOutcome
from enrollment_crm.domain.traces import Traces
from enrollment_crm.storage.models import (
    ApplicationReferenceRow,
    ApplicationRow,
    BatchRow,
    CorrectionRow,
    InboxRow,
    PersonReferenceRow,
    PersonRow,
    QuarantineRow,
    QuarantineStepRow,
)
from enrollment_crm.storage.tombstones import settle_erased

_ROWS_AT_ONCE = 1_000


def traces_of(connection: Connection, ids: Sequence[int]) -> Traces:
    """By what these records are called. pii."""
    addresses = connection.execute(select(PersonRow.email_key).where(PersonRow.id.in_(ids))).scalars()
    people = select(PersonReferenceRow.source, PersonReferenceRow.reference).where(
        PersonReferenceRow.person_id.in_(ids)
    )
    last = select(ApplicationRow.source, ApplicationRow.reference).where(
        ApplicationRow.person_id.in_(ids), ApplicationRow.reference.is_not(None)
    )
    every = (
        select(ApplicationReferenceRow.source, ApplicationReferenceRow.reference)
        .join(ApplicationRow, ApplicationRow.id == ApplicationReferenceRow.application_id)
        .where(ApplicationRow.person_id.in_(ids))
    )
    return Traces(
        address_keys=frozenset(addresses),
        person_references=frozenset((row[0], row[1]) for row in connection.execute(people)),
        application_references=frozenset((row[0], str(row[1])) for row in connection.execute(last.union(every))),
    )


def rows_corrected_to(connection: Connection, traces: Traces) -> set[int]:
    """The raw rows that a correction of staff gives to the person, whatever the rows themselves say."""
    statement = select(CorrectionRow.inbox_id, CorrectionRow.value).where(CorrectionRow.value.contains("@"))
    return {row.inbox_id for row in connection.execute(statement) if address_key(row.value) in traces.address_keys}


@dataclass(frozen=True)
class FoundRow:
    """A raw row that may be about somebody."""

    id: int
    source: str
    kind: str
    received_at: datetime
    outcome: str
    raw: Mapping[str, Any]


def rows_with(connection: Connection, traces: Traces) -> Iterator[FoundRow]:
    """Every raw row that holds one of the needles, whatever has become of it. Reads the whole inbox."""
    text = func.lower(cast(InboxRow.raw, Text))
    holds = or_(*(func.strpos(text, needle) > 0 for needle in traces.needles()))
    statement = select(*_FOUND).where(holds).order_by(InboxRow.id)
    for row in connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}):
        yield FoundRow(*row)


_FOUND = (InboxRow.id, InboxRow.source, InboxRow.kind, InboxRow.received_at, InboxRow.outcome, InboxRow.raw)


def rows_by_id(connection: Connection, ids: Sequence[int]) -> list[FoundRow]:
    """These raw rows."""
    statement = select(*_FOUND).where(InboxRow.id == func.any(list(ids))).order_by(InboxRow.id)
    return [FoundRow(*row) for row in connection.execute(statement)]


def empty_rows(connection: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Empty raw rows; those that nobody has loaded never will be, and are counted as erased. Gives how many of them.

    The digest stays: the same row delivered again is recognised, and not kept again.
    """
    locked = (
        select(InboxRow.id, InboxRow.kind, InboxRow.outcome, InboxRow.batch_id, BatchRow.step)
        .outerjoin(BatchRow, BatchRow.id == InboxRow.batch_id)
        .where(InboxRow.id == func.any(list(ids)))
        .order_by(InboxRow.id)
        .with_for_update(of=InboxRow)
    )
    rows = connection.execute(locked).all()
    connection.execute(update(InboxRow).where(InboxRow.id == func.any(list(ids))).values(raw={}))
    pending = [row for row in rows if row.outcome == InboxOutcome.PENDING]
    for kind in sorted({row.kind for row in pending}):
        settle_erased(connection, [row.id for row in pending if row.kind == kind], kind=kind, now=now)
    waits = (BatchStep.VALIDATED, BatchStep.STOPPED)
    unloaded = [row for row in rows if row.outcome == InboxOutcome.ACCEPTED and row.step in waits]
    rejected = [row for row in rows if row.outcome in (InboxOutcome.QUARANTINED, InboxOutcome.DISCARDED)]
    connection.execute(delete(CorrectionRow).where(CorrectionRow.inbox_id == func.any(list(ids))))
    # That staff did something, and who and when, stays; their words may name somebody.
    steps = update(QuarantineStepRow).where(QuarantineStepRow.inbox_id == func.any(list(ids)))
    connection.execute(steps.values(why=""))
    connection.execute(delete(QuarantineRow).where(QuarantineRow.inbox_id == func.any([row.id for row in rejected])))
    _recount(connection, Counter(row.batch_id for row in unloaded), BatchRow.accepted.key)
    _recount(connection, Counter(row.batch_id for row in rejected), BatchRow.quarantined.key)
    settled = [row.id for row in (*unloaded, *rejected)]
    erased = update(InboxRow).where(InboxRow.id == func.any(settled)).values(outcome=InboxOutcome.ERASED.value)
    connection.execute(erased)
    return len(pending) + len(settled)


def _recount(connection: Connection, batches: Mapping[int, int], was: str) -> None:
    counted = BatchRow.__table__.c[was]
    for batch_id, number in batches.items():
        statement = update(BatchRow).where(BatchRow.id == batch_id)
        connection.execute(statement.values({was: counted - number, "erased": BatchRow.erased + number}))


def redact_rows(connection: Connection, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Put other words in the place of what rows about somebody else say of a person."""
    if rows:
        table = InboxRow.__table__
        statement = update(InboxRow).where(table.c.id == bindparam("row_id")).values(raw=bindparam("other"))
        connection.execute(statement, [{"row_id": one, "other": raw} for one, raw in rows.items()])
