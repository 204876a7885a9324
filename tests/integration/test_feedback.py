"""Feedback: bounces, complaints and withdrawals, each once (R7)."""

from datetime import timedelta

import pytest
from tests.factories import ANA, HOUR, SECOND, SEPTEMBER, T_7, T_14, Office, fact_at

from enrollment_crm.workflows.feedback import take_bounce, take_complaint, take_unsubscription

A_DAY = timedelta(days=1)


def bounce(office: Office, status: str, *, after: timedelta = timedelta(0), fact: str = "") -> None:
    take_bounce(office.engine, ANA, status, fact=fact_at(SEPTEMBER + after, fact))


def is_dead(office: Office) -> bool:
    (dead,) = office.query("SELECT EXISTS (SELECT FROM suppression WHERE reason IN ('hard_bounce', 'soft_bounces'))")
    return bool(dead)


@pytest.mark.parametrize(
    ("status", "dead"), [("5.1.1", True), ("5.1.10", True), ("5.2.1", True), ("5.7.1", False), ("4.2.2", False)]
)
def test_a_hard_bounce_ends_all_writing(office: Office, status: str, dead: bool) -> None:
    office.sign_up(ANA)
    bounce(office, status)
    assert is_dead(office) is dead
    office.sweep(T_7)
    assert (office.relay.taken == []) is dead


@pytest.mark.parametrize(("apart", "dead"), [(A_DAY * 7, True), (A_DAY * 7 + SECOND, False)])
def test_three_soft_bounces_within_14_days_count_as_hard(office: Office, apart: timedelta, dead: bool) -> None:
    office.sign_up(ANA)
    for number in range(3):
        assert not is_dead(office)
        bounce(office, "4.2.2", after=apart * number)
    assert is_dead(office) is dead


def test_a_bounce_that_is_delivered_again_is_not_a_second_one(office: Office) -> None:
    office.sign_up(ANA)
    for _ in range(4):
        bounce(office, "4.2.2", fact="dsn-1")
    bounce(office, "4.2.2", after=HOUR, fact="dsn-2")
    assert not is_dead(office)
    assert office.query("SELECT count(*) FROM bounce") == [2]


def test_addresses_are_compared_without_case(office: Office) -> None:
    office.sign_up(ANA)
    take_bounce(office.engine, ANA.upper(), "5.1.1", fact=fact_at(SEPTEMBER))
    assert is_dead(office)


def test_a_complaint_ends_all_writing_and_no_signup_lifts_it(office: Office) -> None:
    office.sign_up(ANA)
    take_complaint(office.engine, ANA, fact=fact_at(SEPTEMBER + HOUR))
    office.sign_up(ANA, at=T_14)
    office.sweep(T_7)
    assert office.relay.taken == []
    assert set(office.withheld()) == {"complained"}
    assert office.query("SELECT complained_at FROM person") == [SEPTEMBER + HOUR]


def test_an_unsubscription_that_is_delivered_again_after_a_new_signup_is_not_new(office: Office) -> None:
    office.sign_up(ANA)
    take_unsubscription(office.engine, ANA, fact=fact_at(SEPTEMBER + HOUR, "u-1"))
    office.sign_up(ANA, at=T_14)
    take_unsubscription(office.engine, ANA, fact=fact_at(SEPTEMBER + HOUR, "u-1"))
    office.sweep(T_7)
    assert len(office.relay.taken) == 1


def test_what_is_said_of_an_address_that_nobody_has_is_not_taken_for_known(office: Office) -> None:
    """The person may come yet, and the fact with them."""
    bounce(office, "5.1.1", fact="dsn-1")
    take_complaint(office.engine, ANA, fact=fact_at(SEPTEMBER))
    take_unsubscription(office.engine, ANA, fact=fact_at(SEPTEMBER))
    assert office.query("SELECT count(*) FROM received_fact") == [0]
    office.sign_up(ANA)
    bounce(office, "5.1.1", fact="dsn-1")
    assert is_dead(office)


def test_a_hard_bounce_withholds_also_what_concerns_a_session(office: Office, session: str) -> None:
    office.register(session, at=SEPTEMBER)
    bounce(office, "5.1.1")
    office.sweep(SEPTEMBER)
    assert office.withheld() == ["bounced"]
