"""Alerts reach operations by mail, and name no person."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tests.integration.conftest import Inbox

from enrollment_crm.domain.batches import BatchStep
from enrollment_crm.domain.freshness import Gate, GateChange, SourceAge
from enrollment_crm.orchestration.alerts import (
    tell_operations_batch_stopped,
    tell_operations_of_gate,
    tell_operations_run_is_late,
    tell_operations_task_failed,
)
from enrollment_crm.workflows.batch_decisions import BatchFacts


@pytest.fixture(autouse=True)
def _operations(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_OPERATIONS_ADDRESS", "operations@example.edu")
    monkeypatch.setenv("CRM_SMTP_PORT", str(inbox.port))
    monkeypatch.setenv("CRM_ALLOWED_RECIPIENT_DOMAINS", "*")


def test_a_late_run_is_told_by_mail(inbox: Inbox) -> None:
    run = {"dag_id": "send_reminders", "run_id": "scheduled__1"}
    asyncio.run(tell_operations_run_is_late(limit_in_minutes=30, context={"dag_run": run}))

    (alert,) = inbox.messages()
    assert alert["To"] == "operations@example.edu"
    assert "send_reminders (scheduled__1) has not ended 30 minutes" in alert["Subject"]
    assert alert["Auto-Submitted"] == "auto-generated"


def test_a_failed_task_is_told_without_the_words_of_its_exception(inbox: Inbox) -> None:
    task = SimpleNamespace(dag_id="intake_signups", task_id="welcome")
    failure = ValueError("ana@example.edu is not an address")
    tell_operations_task_failed({"task_instance": task, "exception": failure})

    (alert,) = inbox.messages()
    assert "intake_signups.welcome has failed: ValueError" in alert["Subject"]
    assert "ana@" not in alert.as_string()


def test_a_gate_that_closes_is_told_by_mail(inbox: Inbox) -> None:
    gate = Gate((SourceAge("slate", timedelta(hours=31), timedelta(hours=24)),))
    tell_operations_of_gate(GateChange(gate, people_held=412))

    (alert,) = inbox.messages()
    assert "Reminders are held" in alert["Subject"]
    for part in ("slate last came 31 h ago, budget 24 h", "412 people"):
        assert part in alert.get_content().replace("\n", " ")


def test_a_stopped_batch_is_told_by_mail_with_what_to_do(inbox: Inbox) -> None:
    reason = "More than half of the rows fail a rule: compare its header."
    at = datetime(2026, 11, 24, 15, tzinfo=UTC)
    batch = BatchFacts(
        id=7,
        source="signups_csv",
        kind="signup",
        validated_at=at,
        step=BatchStep.STOPPED,
        rows_in=900,
        accepted=100,
        quarantined=800,
        duplicates=0,
        erased=0,
        is_replay=False,
        remarks=reason,
        decided_at=None,
        decided_by=None,
        decided_why="",
    )
    tell_operations_batch_stopped(batch)

    (alert,) = inbox.messages()
    assert alert["Subject"] == "Stopped: batch 7 of signups_csv, 900 rows"
    words = " ".join(alert.get_content().split())
    for part in (reason, "enrollment-crm batches release 7", "enrollment-crm batches reject 7"):
        assert part in words
