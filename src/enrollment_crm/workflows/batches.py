"""Batches: pending rows are judged together, once, and each is accepted or put aside with a reason."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.batches import BatchStep
from enrollment_crm.domain.canonical_rows import CanonicalRow, RecordKind, UnvalidatedRowError, occurred_at_in
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.quarantine import SOURCE_KNOWN, USABLE
from enrollment_crm.domain.value_overrides import with_overrides
from enrollment_crm.storage.batches import (
    QuarantinedRow,
    RuleTally,
    Ruling,
    finish_batch,
    next_batch_to_load,
    quarantine_rows,
    record_batch,
    wait_for_other_loaders,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import RawRow, accepted_rows, pending_rows
from enrollment_crm.storage.late_loads import turn_late_people
from enrollment_crm.storage.quarantine import corrections_of
from enrollment_crm.storage.relations import plan_for_these_rows
from enrollment_crm.storage.tombstones import judge_beside_no_erasure
from enrollment_crm.storage.value_overrides import value_overrides
from enrollment_crm.validation.verdicts import CandidateRow, Verdict
from enrollment_crm.workflows.batch_rulings import Run, rule_on_batch
from enrollment_crm.workflows.erasure import leave_out_the_erased
from enrollment_crm.workflows.garbage import garbage_is_left
from enrollment_crm.workflows.translation import meant_by

if TYPE_CHECKING:  # importing it for real costs seconds, which only the task that validates should pay
    from enrollment_crm.validation.batches import Validator

#: Rows judged in one validation run: bounds memory, and a million rows are fifty runs.
_ROWS_A_BATCH = 20_000


@dataclass(frozen=True)
class Validated:
    """in = accepted + quarantined + erased, over all batches of one run; a batch holds rows of one source."""

    batches: int = 0
    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0
    #: Batches that wait, whole, for a person.
    stopped: int = 0
    #: Rows of people who were erased before: emptied.
    erased: int = 0

    def __add__(self, other: "Validated") -> "Validated":
        return Validated(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Judged:
    """What became of the rows of one batch: accepted + rejected = rows."""

    batch_id: int
    step: BatchStep
    accepted: tuple[int, ...]
    rejected: tuple[QuarantinedRow, ...]


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
    secret: bytes,
    now: datetime,
    dry_run: bool = False,
) -> Validated:
    """Judge every pending row of this kind, in as few batches as memory allows.

    Args:
        engine: the database.
        validator: the rules.
        field_maps: how each source names things.
        kind: what the rows are about.
        secret: the key of tombstones: rows of people who were erased are emptied, and not judged.
        now: the pipeline's instant.
        dry_run: keep nothing.
    """
    check_aware(now)
    total = Validated()
    while True:
        with garbage_is_left(), transaction(engine, dry_run=dry_run) as connection:
            one = _validate_batch(connection, validator, field_maps, kind=kind, secret=secret, now=now)
        if one is None:
            return total
        total += one
        if dry_run:
            return total


def _validate_batch(
    connection: Connection,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    *,
    kind: RecordKind,
    secret: bytes,
    now: datetime,
) -> Validated | None:
    """The oldest rows that wait, as one batch a source: what stops one of them does not hold up the others."""
    judge_beside_no_erasure(connection)
    arrived = pending_rows(connection, kind=kind.value, limit=_ROWS_A_BATCH)
    if not arrived:
        return None
    meant = with_overrides(field_maps, value_overrides(connection))
    rows = leave_out_the_erased(connection, arrived, meant, kind=kind, secret=secret, now=now)
    by_source = defaultdict[str, list[RawRow]](list)
    for row in rows:
        by_source[row.source].append(row)
    erased = len(arrived) - len(rows)
    total = Validated(1, erased, erased=erased) if erased else Validated()
    for batch in by_source.values():
        run = Run(kind, now, may_go_on=len(arrived) == _ROWS_A_BATCH)
        judged = judge_batch(connection, validator, meant, batch, run=run)
        stopped = int(judged.step is BatchStep.STOPPED)
        total += Validated(1, len(batch), len(judged.accepted), len(judged.rejected), stopped)
    return total


def judge_batch(
    connection: Connection,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    rows: Sequence[RawRow],
    *,
    run: Run,
    corrections: Mapping[int, Mapping[str, str]] | None = None,
) -> Judged:
    """Judge rows of one source and record them as a batch.

    Args:
        field_maps: with the overrides in them.
        corrections: of rows that come from the quarantine, by inbox id; None: the rows have just arrived.
    """
    source = rows[0].source
    if source not in field_maps:
        verdict, ruling = Verdict((), (), ()), Ruling(is_replay=corrections is not None)
        rejected = [_without_field_map(row) for row in rows]
    else:
        candidates = [CandidateRow(row.id, said) for row, said in meant_by(rows, field_maps, corrections or {})]
        verdict = validator.validate(run.kind, candidates)
        rejected = [QuarantinedRow(one.row_id, one.rule, one.column, one.reason) for one in verdict.rejected]
        ruling = Ruling(is_replay=True)
        if corrections is None:
            ruling, verdict = rule_on_batch(connection, validator, verdict, candidates, source=source, run=run)
    batch_id = record_batch(
        connection,
        kind=run.kind.value,
        source=source,
        accepted=verdict.accepted,
        rejected=rejected,
        tallies=[RuleTally(one.rule, one.column, one.evaluated, one.failed, one.severity) for one in verdict.counts],
        ruling=ruling,
        now=run.now,
    )
    return Judged(batch_id, ruling.step, verdict.accepted, tuple(rejected))


def _without_field_map(row: RawRow) -> QuarantinedRow:
    reason = (
        f"The source {row.source!r} is not in config/sources/: nobody can tell what its columns mean. "
        "Put its field map there and replay the row."
    )
    return QuarantinedRow(row.id, SOURCE_KNOWN, "", reason)


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
    return QuarantinedRow(row.id, USABLE, "", str(error))


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
    plan_for_these_rows(connection)
    rows = accepted_rows(connection, batch_id=batch_id)
    field_maps, fixed = with_overrides(field_maps, value_overrides(connection)), corrections_of(connection, batch_id)
    translated = meant_by(rows, field_maps, fixed)
    unreadable = [_without_field_map(row) for row in rows if row.source not in field_maps]
    # As it happened, but rows without an address last: one with it may be what tells whose they are.
    translated.sort(key=lambda one: (not one[1].get("email"), _happened(*one), one[0].id))
    rejected = [*unreadable, *load_rows(connection, translated)]
    quarantine_rows(connection, rejected, batch_id=batch_id, now=now)
    finish_batch(connection, batch_id, rejected_while_loading=len(rejected))
    turn_late_people(connection, batch_id, at=now)
    return Loaded(1, len(rows) - len(rejected), len(rejected))
