"""Stopped batches: operations are told, and a person releases or rejects each."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.batches import BatchDecisionError, BatchStep
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.quarantine import BATCH_REJECTED, Step
from enrollment_crm.storage.batch_decisions import (
    BatchFacts,
    decide_batch,
    lock_batch,
    mark_told,
    newest_batches,
    quarantine_whole_batch,
    untold_stops,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.quarantine import TrailStep, add_steps
from enrollment_crm.workflows.quarantine import Decision

__all__ = ["BatchFacts", "list_batches", "reject_batch", "release_batch", "tell_of_stopped_batches"]

_REJECTED_REASON = (
    "A person rejected the whole batch: read why in `enrollment-crm batches list`, and replay the row if it is good."
)


def list_batches(
    engine: Engine, *, source: str | None = None, step: BatchStep | None = None, limit: int = 20
) -> list[BatchFacts]:
    """The newest batches, newest first."""
    with transaction(engine) as connection:
        return newest_batches(connection, source=source, step=step, limit=limit)


def tell_of_stopped_batches(engine: Engine, tell: Callable[[BatchFacts], None], *, now: datetime) -> int:
    """Tell operations once of each batch that was stopped; what could not be told is told by the next run."""
    check_aware(now)
    with transaction(engine) as connection:
        stopped = untold_stops(connection)
        for one in stopped:
            tell(one)
        mark_told(connection, [one.id for one in stopped], at=now)
    return len(stopped)


def release_batch(engine: Engine, batch_id: int, decision: Decision) -> BatchFacts:
    """Let a stopped batch go on: the next load takes its accepted rows in.

    Raises:
        BatchDecisionError: it is not stopped.
    """
    with transaction(engine) as connection:
        batch = _stopped(lock_batch(connection, batch_id), batch_id)
        decide_batch(connection, batch_id, step=BatchStep.VALIDATED, by=decision.by, why=decision.why, at=decision.at)
        add_steps(connection, [_step(Step.BATCH_RELEASED, batch, decision)])
    return batch


def reject_batch(engine: Engine, batch_id: int, decision: Decision) -> BatchFacts:
    """Decide against a stopped batch: all its rows go to the quarantine, where each can still be replayed.

    Raises:
        BatchDecisionError: it is not stopped.
    """
    with transaction(engine) as connection:
        batch = _stopped(lock_batch(connection, batch_id), batch_id)
        quarantine_whole_batch(
            connection, batch_id, rule=BATCH_REJECTED, reason=_REJECTED_REASON, at=check_aware(decision.at)
        )
        decide_batch(connection, batch_id, step=BatchStep.REJECTED, by=decision.by, why=decision.why, at=decision.at)
        add_steps(connection, [_step(Step.BATCH_REJECTED, batch, decision)])
    return batch


def _stopped(batch: BatchFacts | None, batch_id: int) -> BatchFacts:
    if batch is None:
        raise BatchDecisionError(f"There is no batch {batch_id}: see `enrollment-crm batches list`.")
    if batch.step is not BatchStep.STOPPED:
        raise BatchDecisionError(
            f"Batch {batch_id} is {batch.step.value} and waits for no decision: "
            "see `enrollment-crm batches list --step stopped`."
        )
    return batch


def _step(step: Step, batch: BatchFacts, decision: Decision) -> TrailStep:
    return TrailStep(step, check_aware(decision.at), decision.by, decision.why, batch_id=batch.id, source=batch.source)
