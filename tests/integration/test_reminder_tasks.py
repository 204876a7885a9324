"""The tasks of ``send_reminders`` while the freshness gate is closed: what the grid shows, and what ops are told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.factories import ANA, HOUR, MINUTE, T_7, T_14, Office
from tests.integration.conftest import Inbox

from enrollment_crm.orchestration import reminders
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.freshness import record_delivery


@pytest.fixture(autouse=True)
def _surroundings(office: Office, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_SMTP_PORT", str(inbox.port))
    monkeypatch.setenv("CRM_ALLOWED_RECIPIENT_DOMAINS", "*")
    monkeypatch.setenv("CRM_OPERATIONS_ADDRESS", "operations@example.edu")
    monkeypatch.setenv("CRM_SLATE_QUERY_URL", "https://slate.example/manage/query/run?id=1")


def deliver(office: Office, at: datetime) -> None:
    with transaction(office.engine) as connection:
        record_delivery(connection, "slate", kind="application", at=at)


def run(monkeypatch: pytest.MonkeyPatch, at: datetime, *, dry_run: bool = False) -> tuple[list[str], dict[str, Any]]:
    """One run of the DAG: the names in the grid, and the summary."""
    monkeypatch.setenv("CRM_AS_OF", at.isoformat())
    params = {"dry_run": dry_run, "as_of": None}
    now, found = reminders.find_due(params)
    sent = [reminders.send(due, params) for due in found]
    return [due["name"] for due in found], dict(reminders.summarise(now, sent, params))


def test_the_grid_shows_what_is_held_and_operations_are_told_once(
    office: Office, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.sign_up(ANA, at=T_14 + timedelta(seconds=1))
    deliver(office, T_7 - HOUR * 23)
    run(monkeypatch, T_7 - HOUR * 3)
    sent = len(inbox.messages())

    names, summary = run(monkeypatch, T_7 + HOUR * 8, dry_run=True)
    assert summary["held"] == 1
    assert len(inbox.messages()) == sent

    names, summary = run(monkeypatch, T_7 + HOUR * 8)
    assert names[0].startswith("held: early action fall 2027")
    assert names[0].endswith("· 1: applications feed slate last came 31 h ago, budget 24 h")
    assert summary == {"held": 1, "freshness_gate": "closed: applications feed slate last came 31 h ago, budget 24 h"}
    run(monkeypatch, T_7 + HOUR * 8 + MINUTE * 5)
    alerts = [one for one in inbox.messages() if one["To"] == "operations@example.edu"]
    assert [one["Subject"].strip() for one in alerts] == [
        "Reminders are held: applications feed slate last came 31 h ago, budget 24 h"
    ]
    assert ANA not in alerts[0].as_string()

    deliver(office, T_7 + HOUR * 9)
    _, summary = run(monkeypatch, T_7 + HOUR * 9)
    assert summary["accepted"] == 1
    subjects = [one["Subject"].strip() for one in inbox.messages() if one["To"] == "operations@example.edu"]
    assert any(subject.startswith("Reminders go out again: applications feed slate") for subject in subjects)
    assert len(subjects) == 2
