"""Alerts to operations, for a run that is late and a task that failed: to the log, and by mail where it is set."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from enrollment_crm.domain.campaigns import CampaignStop
from enrollment_crm.domain.freshness import GateChange
from enrollment_crm.settings import Settings

if TYPE_CHECKING:  # DAG files import this module, and parsing them must cost nothing
    from enrollment_crm.workflows.batch_decisions import BatchFacts

_LOG = logging.getLogger(__name__)


async def tell_operations_run_is_late(*, limit_in_minutes: float, context: dict[str, Any] | None = None) -> None:
    """Called by the triggerer when a run is late. Names the DAG and the run, no people."""
    run = (context or {}).get("dag_run") or {}
    name = f"{run.get('dag_id', 'a DAG')} ({run.get('run_id', 'run unknown')})"
    sentence = f"The run of {name} has not ended {limit_in_minutes:g} minutes after it was queued."
    await asyncio.to_thread(_tell, f"Late: {sentence}", sentence)


def tell_operations_task_failed(context: Mapping[str, Any]) -> None:
    """Called when a task has failed for good: its retries are used up, or its failure is hopeless.

    Names the task and the kind of failure: a message of an exception could name a person.
    """
    task, failure = context["task_instance"], context.get("exception")
    sentence = f"{task.dag_id}.{task.task_id} has failed: {type(failure).__name__}."
    _tell(f"Failed: {sentence}", sentence)


def tell_operations_of_gate(change: GateChange) -> None:
    """Called once when the freshness gate has closed, and once when it has opened. Names feeds and counts, no people.

    Raises:
        Exception: the mail could not be handed over; the caller asks again.
    """
    gate = change.gate
    subject = f"Reminders are held: {gate.reason}" if gate.is_closed else f"Reminders go out again: {gate.ages}"
    _tell(subject, change.in_words(), is_good_news=not gate.is_closed)


def tell_operations_of_stop(stop: CampaignStop) -> None:
    """Called once when a campaign has stopped itself. Names the kind of message and the reason, no people.

    Raises:
        Exception: the mail could not be handed over; the caller asks again.
    """
    _tell(f"Stopped: {stop.kind.value.replace('_', ' ')}", stop.in_words())


def tell_operations_batch_stopped(batch: "BatchFacts") -> None:
    """Called once for each batch that a rule stopped. Names the source, the rule and counts, no people.

    Raises:
        Exception: the mail could not be handed over; the next run tells it.
    """
    subject = f"Stopped: batch {batch.id} of {batch.source}, {batch.rows_in} rows"
    decide = f"`enrollment-crm batches release {batch.id}` or `enrollment-crm batches reject {batch.id}`"
    _tell(subject, f"{subject}. {batch.remarks} Nothing of it is loaded before you decide by {decide}.")


def tell_operations(subject: str, sentence: str) -> None:
    """Tell operations of what a task found, in counts and kinds, no people.

    Raises:
        Exception: the mail could not be handed over; the caller asks again.
    """
    _tell(subject, sentence)


def tell_operations_approval_is_wanted(context: Mapping[str, Any]) -> None:
    """Called when a run begins to wait for an answer. Names the task and the run."""
    task = context["task_instance"]
    sentence = f"{task.dag_id}.{task.task_id} ({task.run_id}) waits for your answer."
    _tell(f"Approval wanted: {sentence}", sentence)


def _tell(subject: str, sentence: str, *, is_good_news: bool = False) -> None:
    level = logging.INFO if is_good_news else logging.ERROR
    _LOG.log(level, "%s Open it in Airflow: its runbook says what to do.", sentence)
    settings = Settings()
    if settings.operations_address:
        _send(settings, subject, sentence)


def _send(settings: Settings, subject: str, sentence: str) -> None:
    # Imported when it is needed: DAG files import this module, and parsing them must cost nothing.
    from enrollment_crm.bootstrap import clock_of, sender_of, transport_of
    from enrollment_crm.mail.alerts import build_alert

    alert = build_alert(
        subject=subject,
        text=f"{sentence}\n\nOpen the run in Airflow. Its runbook says what to do, and whether it is safe to clear.\n",
        recipient=settings.operations_address,
        sender=sender_of(settings),
        now=clock_of(settings)(),
    )
    transport = transport_of(settings)
    try:
        transport.send(alert, before_data=lambda: None)
    finally:
        transport.close()
