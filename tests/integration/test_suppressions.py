"""The suppression list: by address, with reasons, lifted by staff alone, and the history kept."""

import json
from typing import Any

import pytest
from tests.factories import ANA, BEN, HOUR, SEPTEMBER, T_1, T_7, T_14, Office, fact_at
from typer.testing import CliRunner

from enrollment_crm.cli import app
from enrollment_crm.domain.suppressions import SUPPRESSIONS_IN_WORDS, SuppressionReason
from enrollment_crm.workflows.feedback import take_bounce, take_complaint
from enrollment_crm.workflows.suppressions import add_suppression, lift_suppression, suppressions

OPS = {"by": "ops", "why": "asked on the telephone"}


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the database of the test."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 300)
    return lambda *words: CliRunner().invoke(app, ["suppression", *words])


def in_force(office: Office) -> list[tuple[str, str]]:
    return [(one.email_key, one.reason.value) for one in suppressions(office.engine)]


def test_an_address_can_be_on_the_list_before_anybody_has_it(office: Office) -> None:
    add_suppression(office.engine, "Ana@Example.EDU", now=SEPTEMBER, **OPS)
    office.sign_up(ANA)
    assert office.sweep(T_7) == {"withheld": 1}
    assert set(office.withheld()) == {"suppressed"}


def test_a_signup_lifts_nothing_and_staff_do(office: Office) -> None:
    office.sign_up(ANA)
    take_bounce(office.engine, ANA, "5.1.1", fact=fact_at(SEPTEMBER + HOUR))
    office.sign_up(ANA, at=T_14)
    assert office.sweep(T_7) == {"withheld": 1}
    done = lift_suppression(office.engine, ANA, now=T_7 + HOUR, **OPS)
    assert [one.reason for one in done.suppressions] == [SuppressionReason.HARD_BOUNCE]
    assert office.sweep(T_1) == {"accepted": 1}  # what was withheld meanwhile is not sent
    assert len(office.relay.taken) == 1


def test_another_address_is_writable(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    take_bounce(office.engine, ANA, "5.1.1", fact=fact_at(SEPTEMBER))
    assert office.sweep(T_7) == {"withheld": 1, "accepted": 1}
    assert office.relay.recipients() == [BEN]


def test_what_came_back_before_it_was_lifted_counts_no_more(office: Office) -> None:
    office.sign_up(ANA)
    for day in range(3):
        take_bounce(office.engine, ANA, "4.2.2", fact=fact_at(T_14 + HOUR * day))
    assert in_force(office) == [(ANA, "soft_bounces")]
    lift_suppression(office.engine, ANA, now=T_14 + HOUR * 5, **OPS)
    take_bounce(office.engine, ANA, "4.2.2", fact=fact_at(T_14 + HOUR * 6))
    assert in_force(office) == []


def test_a_complaint_that_is_lifted_leaves_the_reader_unsubscribed_until_they_sign_up(office: Office) -> None:
    office.sign_up(ANA)
    take_complaint(office.engine, ANA, fact=fact_at(SEPTEMBER + HOUR))
    assert lift_suppression(office.engine, ANA, now=T_14, **OPS).still_unsubscribed == 1
    assert office.sweep(T_7) == {"withheld": 1}
    assert set(office.withheld()) == {"unsubscribed"}
    office.sign_up(ANA, at=T_7 + HOUR)
    assert office.sweep(T_1)["accepted"] == 1


def test_an_address_that_the_relay_refuses_is_on_the_list(office: Office) -> None:
    office.sign_up(ANA)
    office.relay.answers["RCPT"] = "550 5.1.1 unknown"
    office.sweep(T_14)
    (one,) = suppressions(office.engine)
    assert (one.reason, one.added_by, one.why) == (SuppressionReason.RELAY_REFUSED, "relay", "5.1.1")
    assert one.message_row_id == office.query("SELECT id FROM message")[0]


def test_the_command_keeps_who_and_why_and_the_history(office: Office, run: Any) -> None:
    said = ("--by", "ops", "--why", "wrong person")
    assert run("add", ANA, *said).exit_code == 0
    assert run("add", ANA, *said).exit_code == 0  # twice is once
    assert json.loads(run("list", "--json").stdout)[0]["email_key"] == ANA
    assert run("list", "--reason", "complaint", "--json").stdout.strip() == "[]"
    assert run("lift", ANA, "--by", "dean", "--why", "right after all").exit_code == 0
    assert run("list", "--json").stdout.strip() == "[]"
    (history,) = json.loads(run("list", ANA.upper(), "--lifted", "--json").stdout)
    assert (history["added_by"], history["lifted_by"], history["lifted_why"]) == ("ops", "dean", "right after all")
    assert "by dean: right after all" in run("list", "--lifted").stdout


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("lift", ANA, "--by", "ops", "--why", "x"), 1),
        (("add", "no address", "--by", "ops", "--why", "x"), 2),
        (("add", ANA, "--by", "ops"), 2),
        (("add", ANA, "--by", " ", "--why", "x"), 2),
        (("list", "--reason", "nonsense"), 2),
    ],
)
def test_what_was_misused_or_is_not_there(office: Office, run: Any, words: tuple[str, ...], exit_code: int) -> None:
    assert run(*words).exit_code == exit_code


def test_explain_says_so(office: Office, run: Any) -> None:
    office.sign_up(ANA)
    add_suppression(office.engine, ANA, now=SEPTEMBER, **OPS)
    assert "On the suppression list" in CliRunner().invoke(app, ["explain", ANA]).stdout


def test_every_reason_is_said_in_words() -> None:
    assert set(SUPPRESSIONS_IN_WORDS) == set(SuppressionReason)
