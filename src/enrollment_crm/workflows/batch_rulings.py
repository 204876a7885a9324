"""Rulings: what the rules about whole batches make of a batch that has just been judged row by row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from enrollment_crm.domain.batch_profiles import BatchProfile, measures_of, profile_of
from enrollment_crm.domain.batches import BatchStep
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.storage.batch_profiles import usual_profiles, usual_volumes, volume_of_run
from enrollment_crm.storage.batches import Ruling
from enrollment_crm.validation.verdicts import CandidateRow, Verdict

if TYPE_CHECKING:  # importing it for real costs seconds, which only the task that validates should pay
    from enrollment_crm.validation.batches import Validator

_TOO_EARLY = "rows_against_usual"


@dataclass(frozen=True)
class Run:
    """The run of a task that judges batches."""

    kind: RecordKind
    now: datetime
    #: As many rows were read as fit into memory: more of the same feed may wait.
    may_go_on: bool = False
    #: Waits until the batches before this one are committed.
    batches_before: Callable[[], object] = lambda: None


def rule_on_batch(
    connection: Connection,
    validator: "Validator",
    verdict: Verdict,
    rows: Sequence[CandidateRow],
    *,
    source: str,
    run: Run,
) -> tuple[Ruling, Verdict]:
    """Whether the batch goes on, is warned of or stopped, and the verdict with the counts of the rules about batches.

    A batch that is too small for every such rule costs nothing here: a post of the form is one.
    """
    asked = validator.batches.measures(run.kind, rows=len(rows))
    stops, warnings, profile = verdict.stops, tuple[str, ...](), None
    if asked:
        profile = profile_of(run.kind, [row.values for row in rows], measures=asked, rejected=len(verdict.rejected))
        measures = _measures(connection, profile, source=source, run=run)
        found = validator.batches.judge(run.kind, measures, rows=len(rows))
        verdict = replace(verdict, counts=(*verdict.counts, *found.counts))
        stops, warnings = (*stops, *found.stops), found.warnings
    step = BatchStep.STOPPED if stops else BatchStep.VALIDATED
    remarks = " ".join((*stops, *(f"Noticed: {one}" for one in warnings)))
    return Ruling(step, remarks, profile.as_json() if profile else None), verdict


def _measures(connection: Connection, profile: BatchProfile, *, source: str, run: Run) -> dict[str, float]:
    kind, now = run.kind.value, run.now
    run.batches_before()
    measures = measures_of(
        profile,
        usual_profiles(connection, source=source, kind=kind, before=now),
        volume=profile.rows + volume_of_run(connection, source=source, kind=kind, at=now),
        volumes=usual_volumes(connection, source=source, kind=kind, before=now),
        now=now,
    )
    if run.may_go_on and measures.get(_TOO_EARLY, 1) < 1:
        # It is too early to say that there are few: the rest of the feed waits.
        del measures[_TOO_EARLY]
    return measures
