"""`enrollment-crm explain` and `forecast`, as staff see them."""

import json
import logging
from typing import Any

import pytest
from sqlalchemy import text
from tests.factories import ANA, BEN, MINUTE, SEPTEMBER, SHANGHAI, T_1, T_7, T_14, T_30, Office
from typer.testing import CliRunner, Result

from enrollment_crm.cli import app
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import REASONS_IN_WORDS, WithholdReason


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the database of the test."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    # Wide enough for whole sentences in a cell of a table.
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 400)

    def command(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--as-of", (T_14 - MINUTE).isoformat()])

    return command


def explained(run: Any, who: str) -> dict[str, Any]:
    result = run("explain", who, "--json")
    assert result.exit_code == 0, result.output
    seen: dict[str, Any] = json.loads(result.stdout)
    return seen


def test_what_was_sent_what_was_withheld_and_what_comes_next(office: Office, run: Any) -> None:
    person = office.sign_up(ANA, time_zone=SHANGHAI)
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.sign_up(ANA, at=SEPTEMBER + MINUTE, entry_term="spring 2027")
    office.report(at=T_30 + MINUTE, YearTerm="spring 2027")
    office.sweep(T_30 + MINUTE)
    seen = explained(run, f" {ANA.upper()} ")
    assert seen["record"]["person"]["id"] == person
    assert seen["zone_basis"] == "they stated it (R4)"
    assert [one["stated"] for one in seen["record"]["evidence"]] == ["domestic", "domestic"]
    assert [one["status"] for one in seen["record"]["applications"]] == ["submitted"]
    assert {one["kind"] for one in seen["record"]["messages"]} == {"welcome", "deadline_reminder"}
    assert {one["withheld"] for one in seen["record"]["withheld"]} == {"submitted"}
    reminders = [one for one in seen["next_messages"] if one["kind"] == "deadline_reminder"]
    sent = [one for one in reminders if one["withheld"] is None]
    assert [cover["offset"] for one in sent for cover in one["covers"]][-2:] == ["7d", "1d"]
    assert all(cover["deadline_version"] == 1 for one in sent for cover in one["covers"])
    assert {len(one["template_version"]) for one in reminders} == {12}
    assert {one["withheld"] for one in reminders} == {None, "submitted"}
    assert "R3" in sent[-1]["covers"][0]["rule"]


def test_as_a_page(office: Office, run: Any, caplog: pytest.LogCaptureFixture) -> None:
    office.sign_up(ANA, time_zone=SHANGHAI)
    office.sign_up(ANA, entry_term="spring 2027", time_zone=SHANGHAI)
    office.sweep(T_30 + MINUTE)
    with caplog.at_level(logging.DEBUG):
        result = run("explain", ANA)
    assert result.exit_code == 0
    for words in (
        "Route: domestic",
        "Asia/Shanghai, they stated it (R4)",
        "Mon 2026-11-23 21:00 Boston",
        "R8: one message",
    ):
        assert words in result.stdout
    assert "Tue 2026-11-24 10:00 Asia/Shanghai" in result.stdout
    assert ANA not in caplog.text


def test_nobody_has_this_address(run: Any) -> None:
    result = run("explain", "nobody@example.edu")
    assert result.exit_code == 1
    assert "Nobody has this id or address" in result.output


def test_who_was_erased_or_merged_is_said_so(office: Office, run: Any) -> None:
    ana, ben = office.sign_up(ANA), office.sign_up(BEN)
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE person SET merged_into_id = :ben WHERE id = :ana"), {"ana": ana, "ben": ben})
        connection.execute(text("UPDATE person SET erased_at = now() WHERE id = :ben"), {"ben": ben})
    assert f"Merged: person {ben} is written to instead of this record." in explained(run, ANA)["remarks"]
    remarks = explained(run, str(ben))["remarks"]
    assert any(one.startswith("Erased on") for one in remarks)
    assert f"These records were merged into this one: {ana}." in remarks
    assert {one["withheld"] for one in explained(run, str(ben))["next_messages"]} == {"erased"}


def test_the_forecast_counts_messages_by_day_and_people_by_cell(office: Office, run: Any) -> None:
    office.sign_up(ANA)
    office.sign_up(ANA, entry_term="spring 2027")
    office.sign_up(BEN, time_zone=SHANGHAI)
    office.sweep(T_30 + MINUTE)
    seen = json.loads(run("forecast", "--json", "--days", "20").stdout)
    reminders = {one["day"]: one["sends"] for one in seen["units"] if one["kind"] == "deadline_reminder"}
    # The one in Shanghai is reminded on the evening before, on Boston's clock; what nobody swept in time on the 16th
    # is caught up with in the morning there, which is the evening of the 17th here.
    assert reminders == {"2026-11-17": 2, "2026-11-23": 1, "2026-11-24": 1, "2026-11-29": 1, "2026-11-30": 1}
    cells = json.loads(run("forecast", "--json", "--by", "cell", "--days", "20").stdout)["units"]
    at_seven = [one for one in cells if one.get("offset") == "7d" and one["kind"] == "deadline_reminder"]
    assert sorted((one["zone"], one["entry_term"], one["round"], one["sends"]) for one in at_seven) == [
        ("America/New_York", "fall 2027", "early_action", 1),
        ("America/New_York", "spring 2027", "final", 1),
        ("Asia/Shanghai", "fall 2027", "early_action", 1),
    ]
    assert {one["at"] for one in at_seven} == {T_7.isoformat().replace("+00:00", "Z"), "2026-11-24T02:00:00Z"}
    page = run("forecast", "--by", "cell", "--days", "20").stdout
    assert f"{T_1:%a %Y-%m-%d} 10:00" in page


def test_every_reason_has_words_and_a_rule() -> None:
    assert set(REASONS_IN_WORDS) == set(WithholdReason)
    assert all("(R" in sentence for sentence in REASONS_IN_WORDS.values())
