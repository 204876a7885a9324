"""Batches: pending rows are judged together, once, and each is accepted or put aside with a reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind, UnvalidatedRowError, occurred_at_in
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.translation import translate_all
from enrollment_crm.storage.batches import (
    QuarantinedRow,
    RuleTally,
    finish_batch,
    next_batch_to_load,
    quarantine_rows,
    record_batch,
    wait_for_other_loaders,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import RawRow, accepted_rows, pending_rows
from enrollment_crm.validation.verdicts import CandidateRow
from enrollment_crm.workflows.garbage import garbage_is_left

if TYPE_CHECKING:  # importing it for real costs seconds, which only the task that validates should pay
    from enrollment_crm.validation.batches import Validator

#: Rows judged in one validation run: bounds memory, and a million rows are fifty runs.
_ROWS_A_BATCH = 20_000


@dataclass(frozen=True)
class Validated:
    """in = accepted + quarantined, over all batches of one run."""

    batches: int = 0
    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class Loaded:
    """Batches whose accepted rows are in the people's records now."""

    batches: int = 0
    loaded: int = 0
    #: Accepted by the rules, but unusable all the same: in the quarantine with the reason.
    quarantined: int = 0


#: Takes one accepted row into the people's records; raises ``UnvalidatedRowError`` with a sentence where it cannot.
LoadRow = Callable[[Connection, RawRow, CanonicalRow], None]

#: Accepted rows with what they mean, in the order in which they happened.
AcceptedRows = Sequence[tuple[RawRow, CanonicalRow]]
#: Takes all accepted rows of a batch into the people's records; gives those that it cannot take, with a sentence.
LoadRows = Callable[[Connection, AcceptedRows], Sequence[QuarantinedRow]]


def validate_pending(
    engine: Engine,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    *,
    kind: RecordKind,
    now: datetime,
    dry_run: bool = False,
) -> Validated:
    """Judge every pending row of this kind, in as few batches as memory allows."""
    check_aware(now)
    total = Validated()
    while True:
        with garbage_is_left(), transaction(engine, dry_run=dry_run) as connection:
            one = _validate_batch(connection, validator, field_maps, kind=kind, now=now)
        if one is None:
            return total
        total = Validated(
            total.batches + 1,
            total.rows_in + one.rows_in,
            total.accepted + one.accepted,
            total.quarantined + one.quarantined,
        )
        if dry_run:
            return total


def _validate_batch(
    connection: Connection,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    *,
    kind: RecordKind,
    now: datetime,
) -> Validated | None:
    rows = pending_rows(connection, kind=kind.value, limit=_ROWS_A_BATCH)
    if not rows:
        return None
    translated, unreadable = _translated(rows, field_maps)
    candidates = [CandidateRow(row.id, canonical) for row, canonical in translated]
    verdict = validator.validate(kind, candidates)
    record_batch(
        connection,
        kind=kind.value,
        accepted=verdict.accepted,
        rejected=[
            *unreadable,
            *(QuarantinedRow(one.row_id, one.rule, one.column, one.reason) for one in verdict.rejected),
        ],
        tallies=[RuleTally(one.rule, one.column, one.evaluated, one.failed) for one in verdict.counts],
        now=now,
    )
    return Validated(1, len(rows), len(verdict.accepted), len(unreadable) + len(verdict.rejected))


def _translated(
    rows: Sequence[RawRow], field_maps: Mapping[str, FieldMap]
) -> tuple[list[tuple[RawRow, CanonicalRow]], list[QuarantinedRow]]:
    """The rows with what they mean, source by source; beside them those of sources that nobody can read."""
    of_source: dict[str, list[RawRow]] = {}
    for row in rows:
        of_source.setdefault(row.source, []).append(row)
    readable: list[tuple[RawRow, CanonicalRow]] = []
    for source, theirs in of_source.items():
        if source in field_maps:
            readable += zip(theirs, translate_all([row.raw for row in theirs], field_maps[source]), strict=True)
    readable.sort(key=lambda one: one[0].id)
    return readable, [_without_field_map(row) for row in rows if row.source not in field_maps]


def _without_field_map(row: RawRow) -> QuarantinedRow:
    reason = (
        f"The source {row.source!r} is not in config/sources/: nobody can tell what its columns mean. "
        "Put its field map there and replay the row."
    )
    return QuarantinedRow(row.id, "source_known", "", reason)


def load_validated(
    engine: Engine,
    field_maps: Mapping[str, FieldMap],
    load_row: LoadRow,
    *,
    kind: RecordKind,
    now: datetime,
    dry_run: bool = False,
) -> Loaded:
    """Take the accepted rows of every validated batch into the people's records, one by one."""

    def load_rows(connection: Connection, rows: AcceptedRows) -> list[QuarantinedRow]:
        cannot = []
        for row, canonical in rows:
            try:
                load_row(connection, row, canonical)
            except UnvalidatedRowError as error:
                cannot.append(unusable(row, error))
        return cannot

    return load_batches(engine, field_maps, load_rows, kind=kind, now=now, dry_run=dry_run)


def unusable(row: RawRow, error: UnvalidatedRowError) -> QuarantinedRow:
    """A row that the rules accepted and nobody can use, with the sentence that says why."""
    return QuarantinedRow(row.id, "usable", "", str(error))


def load_batches(
    engine: Engine,
    field_maps: Mapping[str, FieldMap],
    load_rows: LoadRows,
    *,
    kind: RecordKind,
    now: datetime,
    dry_run: bool = False,
) -> Loaded:
    """Take the accepted rows of every validated batch into the people's records, a batch a transaction."""
    total = Loaded()
    while True:
        with garbage_is_left(), transaction(engine, dry_run=dry_run) as connection:
            one = _load_batch(connection, field_maps, load_rows, kind=kind, now=now)
        if one is None:
            return total
        total = Loaded(total.batches + 1, total.loaded + one.loaded, total.quarantined + one.quarantined)
        if dry_run:
            return total


def _happened(row: RawRow, canonical: CanonicalRow) -> datetime:
    try:
        return occurred_at_in(canonical, received_at=row.received_at)
    except UnvalidatedRowError:
        return row.received_at


def _load_batch(
    connection: Connection,
    field_maps: Mapping[str, FieldMap],
    load_rows: LoadRows,
    *,
    kind: RecordKind,
    now: datetime,
) -> Loaded | None:
    batch_id = next_batch_to_load(connection, kind=kind.value)
    if batch_id is None:
        return None
    wait_for_other_loaders(connection)
    rows = accepted_rows(connection, batch_id=batch_id)
    translated, unreadable = _translated(rows, field_maps)
    # As it happened, but rows without an address last: one with it may be what tells whose they are.
    translated.sort(key=lambda one: (not one[1].get("email"), _happened(*one), one[0].id))
    rejected = [*unreadable, *load_rows(connection, translated)]
    quarantine_rows(connection, rejected, batch_id=batch_id, now=now)
    finish_batch(connection, batch_id, rejected_while_loading=len(rejected))
    return Loaded(1, len(rows) - len(rejected), len(rejected))
