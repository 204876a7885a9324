"""Batches: pending rows are judged together, once, and each is accepted or put aside with a reason."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.batches import BatchStep
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.quarantine import SOURCE_KNOWN
from enrollment_crm.domain.value_overrides import with_overrides
from enrollment_crm.storage.batches import QuarantinedRow, RuleTally, Ruling, record_batch
from enrollment_crm.storage.inbox import RawRow, pending_rows
from enrollment_crm.storage.tombstones import nothing_is_erased_meanwhile
from enrollment_crm.storage.value_overrides import value_overrides
from enrollment_crm.validation.verdicts import CandidateRow, Verdict
from enrollment_crm.workflows.batch_rulings import Run, rule_on_batch
from enrollment_crm.workflows.draining import drained
from enrollment_crm.workflows.erasure import leave_out_the_erased
from enrollment_crm.workflows.garbage import young_garbage_goes
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
class _Judgement:
    """What is to be recorded of a batch of one source."""

    source: str
    verdict: Verdict
    rejected: tuple[QuarantinedRow, ...]
    ruling: Ruling


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

    def first_half(connection: Connection, committed: Callable[[], object]) -> Callable[[], Validated] | None:
        nothing_is_erased_meanwhile(connection)
        arrived = pending_rows(connection, kind=kind.value, limit=_ROWS_A_BATCH)
        if not arrived:
            return None
        meant = with_overrides(field_maps, value_overrides(connection))
        rows = leave_out_the_erased(connection, arrived, meant, kind=kind, secret=secret, now=now)
        run = Run(kind, now, may_go_on=len(arrived) == _ROWS_A_BATCH, batches_before=committed)
        # A batch a source: what stops one of them does not hold up the others.
        judged = [_judge(connection, validator, meant, some, run=run) for some in _by_source(rows)]
        young_garbage_goes()
        return partial(_record_all, connection, judged, erased=len(arrived) - len(rows), run=run)

    for one in drained(engine, first_half, dry_run=dry_run):
        total += one
    return total


def _by_source(rows: Sequence[RawRow]) -> Iterable[list[RawRow]]:
    by_source = defaultdict[str, list[RawRow]](list)
    for row in rows:
        by_source[row.source].append(row)
    return by_source.values()


def _record_all(connection: Connection, judged: Sequence[_Judgement], *, erased: int, run: Run) -> Validated:
    total = Validated(1, erased, erased=erased) if erased else Validated()
    for batch in judged:
        one = _record(connection, batch, run)
        accepted, rejected = len(one.accepted), len(one.rejected)
        total += Validated(1, accepted + rejected, accepted, rejected, int(one.step is BatchStep.STOPPED))
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
    return _record(connection, _judge(connection, validator, field_maps, rows, run=run, corrections=corrections), run)


def _judge(
    connection: Connection,
    validator: "Validator",
    field_maps: Mapping[str, FieldMap],
    rows: Sequence[RawRow],
    *,
    run: Run,
    corrections: Mapping[int, Mapping[str, str]] | None = None,
) -> _Judgement:
    source = rows[0].source
    if source not in field_maps:
        rejected = tuple(without_field_map(row) for row in rows)
        return _Judgement(source, Verdict((), (), ()), rejected, Ruling(is_replay=corrections is not None))
    candidates = [CandidateRow(row.id, said) for row, said in meant_by(rows, field_maps, corrections or {})]
    verdict = validator.validate(run.kind, candidates)
    rejected = tuple(QuarantinedRow(one.row_id, one.rule, one.column, one.reason) for one in verdict.rejected)
    ruling = Ruling(is_replay=True)
    if corrections is None:
        ruling, verdict = rule_on_batch(connection, validator, verdict, candidates, source=source, run=run)
    return _Judgement(source, verdict, rejected, ruling)


def _record(connection: Connection, batch: _Judgement, run: Run) -> Judged:
    counts = batch.verdict.counts
    batch_id = record_batch(
        connection,
        kind=run.kind.value,
        source=batch.source,
        accepted=batch.verdict.accepted,
        rejected=batch.rejected,
        tallies=[RuleTally(one.rule, one.column, one.evaluated, one.failed, one.severity) for one in counts],
        ruling=batch.ruling,
        now=run.now,
    )
    return Judged(batch_id, batch.ruling.step, batch.verdict.accepted, batch.rejected)


def without_field_map(row: RawRow) -> QuarantinedRow:
    """A row of a source that nobody can read."""
    reason = (
        f"The source {row.source!r} is not in config/sources/: nobody can tell what its columns mean. "
        "Put its field map there and replay the row."
    )
    return QuarantinedRow(row.id, SOURCE_KNOWN, "", reason)
