"""Consent: its proof is kept, and withdrawing it is immediate, idempotent and for good until a new signup."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.factories import ANA, HOUR, MINUTE, SEPTEMBER, T_7, T_14, Office

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows
from enrollment_crm.workflows.consent import unsubscribe

A_WEEK = timedelta(days=7)


def test_the_proof_of_a_consent_says_what_was_agreed_to_where_and_when(office: Office) -> None:
    office.sign_up(ANA, page="https://crm.example/request-information")
    proof = office.query("SELECT source, text_version, page, given_at FROM consent")
    assert proof == [("form", "2026-01", "https://crm.example/request-information", SEPTEMBER)]


def test_withdrawing_twice_is_once_at_the_later_instant(office: Office) -> None:
    person = office.sign_up(ANA)
    for now in (T_14, T_14 + HOUR, T_14):
        unsubscribe(office.engine, person, "deadlines", now=now)
    assert office.query("SELECT topic, at, lifted_at FROM unsubscription") == [("deadlines", T_14 + HOUR, None)]


def test_an_unknown_person_is_nothing(engine: Engine, office: Office) -> None:
    unsubscribe(engine, 4711, "deadlines", now=T_14)
    assert office.query("SELECT count(*) FROM unsubscription") == [0]


def test_a_naive_instant_is_refused(office: Office) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        unsubscribe(office.engine, 1, "*", now=datetime(2026, 11, 17))  # noqa: DTZ001


def csv_signup(
    office: Office, *, arrived: datetime, submitted: datetime | None = None, submission: str = "", campaign: str = ""
) -> None:
    row = {
        "Submission ID": submission,
        "Campaign": campaign,
        "Email": ANA,
        "Entry Term": "fall 2027",
        "Email Consent": "yes",
        "Submitted At": submitted.isoformat() if submitted else "",
        "Residency": "U.S. citizen or permanent resident",
    }
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, [row], source="signups_csv", kind=RecordKind.SIGNUP.value, received_at=arrived)
    office.load(now=arrived)


def test_a_signup_made_before_the_withdrawal_lifts_nothing_however_late_its_row_arrives(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), "*", now=T_14)
    csv_signup(office, submitted=T_14 - HOUR, arrived=T_14 + A_WEEK / 7)
    assert office.sweep(T_7) == {"withheld": 1}


def test_a_signup_made_between_two_withdrawals_lifts_neither(office: Office) -> None:
    person = office.sign_up(ANA)
    for now in (T_14, T_14 + HOUR * 2):
        unsubscribe(office.engine, person, "*", now=now)
    csv_signup(office, submitted=T_14 + HOUR, arrived=T_14 + HOUR * 3)
    assert office.sweep(T_7) == {"withheld": 1}


def test_a_signup_made_after_the_withdrawal_lifts_it(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), "*", now=T_14)
    csv_signup(office, submitted=T_14 + HOUR, arrived=T_14 + HOUR * 2)
    assert office.sweep(T_7) == {"accepted": 1}


@pytest.mark.parametrize(
    "known_by",
    [
        pytest.param({"submission": "s-1"}, id="its name"),
        pytest.param({"submitted": T_14 - HOUR}, id="its time"),
    ],
)
def test_a_signup_that_is_delivered_again_is_no_new_consent(office: Office, known_by: Any) -> None:
    csv_signup(office, arrived=T_14, **known_by)
    proof = office.query("SELECT id, given_at FROM consent")
    unsubscribe(office.engine, office.person(ANA), "*", now=T_14 + MINUTE)
    csv_signup(office, arrived=T_14 + HOUR * 2, campaign="fair", **known_by)
    assert office.query("SELECT id, given_at FROM consent") == proof
    assert office.sweep(T_7) == {"withheld": 1}


def test_another_signup_of_the_same_source_is_a_new_consent(office: Office) -> None:
    csv_signup(office, arrived=T_14, submission="s-1")
    unsubscribe(office.engine, office.person(ANA), "*", now=T_14 + MINUTE)
    csv_signup(office, arrived=T_14 + HOUR, submission="s-2")
    assert office.query("SELECT submission FROM consent ORDER BY id") == ["s-1", "s-2"]
    assert office.sweep(T_7) == {"accepted": 1}


def test_the_clock_of_a_source_that_runs_ahead_gives_no_consent_in_the_future(office: Office) -> None:
    person = office.sign_up(ANA)
    csv_signup(office, submitted=T_14 + HOUR * 9, arrived=T_14)
    assert office.query("SELECT max(given_at) FROM consent") == [T_14]
    unsubscribe(office.engine, person, "*", now=T_14 + HOUR)
    assert office.sweep(T_7) == {"withheld": 1}


def test_a_consent_of_a_day_that_has_not_come_waits_for_a_person_and_lifts_nothing(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), "*", now=T_14)
    for campaign in ("", "fair"):
        csv_signup(office, submitted=T_14 + A_WEEK * 9, arrived=T_14 + HOUR, campaign=campaign)
    assert len(office.query("SELECT reason FROM quarantine WHERE reason LIKE '%no proof of a consent%'")) == 2
    assert office.sweep(T_7) == {"withheld": 1}
