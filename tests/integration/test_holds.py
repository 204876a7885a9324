"""What is held or stopped for everybody is told by `explain` and `forecast`, as the sweep then does."""

import json
from typing import Any

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, SHANGHAI, T_7, T_14, Office
from typer.testing import CliRunner

from enrollment_crm.cli import app
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.sources.feeds import Delivery, Feed
from enrollment_crm.storage.campaigns import stop_campaign
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.inbox import collect

STALE = "applications feed slate last came 31 h ago, budget 24 h"


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ana, whose reminder is due now by a clock that stands, and Ben, who has paused; runs a command."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_AS_OF", T_7.isoformat())
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 400)
    office.sign_up(ANA, at=T_14)
    office.sign_up(BEN, at=T_14, time_zone=SHANGHAI)
    office.change("UPDATE person SET paused_until = :at WHERE email = :ben", at=T_7 + DAY, ben=BEN)
    office.answer(MessageKind.WELCOME, T_14)
    office.sweep(T_7 - DAY)
    return lambda *words: CliRunner().invoke(app, list(words))


def go_stale(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slate is set up, and came 31 hours ago."""
    monkeypatch.setenv("CRM_SLATE_QUERY_URL", "https://slate.example/query")
    feed = Feed("slate", RecordKind.APPLICATION, lambda: [Delivery(list, keep=lambda: None)])
    collect(office.engine, [feed], now=T_7 - 31 * HOUR)


def held_of_ana(run: Any) -> list[str | None]:
    """Of each message that Ana would get, why it does not go out now."""
    explained = json.loads(run("explain", ANA, "--json").stdout)["next_messages"]
    return [one["held"] for one in explained if one["withheld"] is None]


def test_what_the_freshness_gate_holds(office: Office, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    go_stale(office, monkeypatch)
    assert held_of_ana(run) == [STALE, None]
    assert f"held: {STALE}" in run("explain", ANA).stdout
    held = json.loads(run("forecast", "--json").stdout)["held"]
    assert held == dict.fromkeys(("deadline_reminder", "session_invitation", "checklist_reminder"), STALE)
    by_day = run("forecast")
    assert f"(deadline reminder, session invitation, checklist reminder): {STALE}" in by_day.stderr
    assert "It is counted as if it went out." in by_day.stderr


def test_what_a_stopped_campaign_holds(office: Office, run: Any) -> None:
    with transaction(office.engine) as connection:
        stop_campaign(connection, MessageKind.DEADLINE_REMINDER, "The relay refuses our sign-in.", T_7)
    assert held_of_ana(run) == ["The relay refuses our sign-in.", None]
    assert set(json.loads(run("forecast", "--json").stdout)["held"]) == {"deadline_reminder", "session_invitation"}


def test_nothing_is_held(run: Any) -> None:
    assert held_of_ana(run) == [None, None]
    assert json.loads(run("forecast", "--json").stdout)["held"] == {}
    assert "Held" not in run("forecast").stderr


def test_a_pause_is_told_with_its_end(run: Any) -> None:
    assert "Paused by themselves until 2026-11-25 23:00 Asia/Shanghai" in run("explain", BEN).stdout
