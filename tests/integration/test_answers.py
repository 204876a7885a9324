"""Answers: the welcome to a signup and the receipt of an application, each once, as soon as they are owed."""

from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from tests.factories import ANA, HOUR, MINUTE, SECOND, SEPTEMBER, T_14, Office

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM

#: A submission that is older when it reaches us is history.
FOURTEEN_DAYS = timedelta(days=14)
WELCOME, RECEIPT = MessageKind.WELCOME, MessageKind.APPLICATION_RECEIVED


def text_of_last(office: Office) -> str:
    message = message_from_bytes(office.relay.taken[-1].content, policy=default)
    body = message.get_body(("plain",))
    return "" if body is None else str(body.get_content())


def test_a_signup_is_welcomed_once_whatever_runs_twice(office: Office) -> None:
    office.sign_up(ANA)
    assert office.answer(WELCOME, SEPTEMBER) == {"accepted": 1}
    office.sign_up(ANA, at=SEPTEMBER + HOUR)  # the same wish again
    assert office.answer(WELCOME, SEPTEMBER + HOUR) == {}


def test_each_program_and_term_is_welcomed_of_its_own(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(ANA, entry_term="spring 2027")
    assert office.answer(WELCOME, SEPTEMBER) == {"accepted": 2}
    assert office.query("SELECT entry_term FROM cover ORDER BY id") == ["fall 2027", "spring 2027"]


def test_nobody_is_welcomed_before_they_are_routed(office: Office) -> None:
    office.fill_in(ANA, at=SEPTEMBER)
    office.load(now=SEPTEMBER, route=False)
    assert office.answer(WELCOME, SEPTEMBER) == {}
    office.load(now=SEPTEMBER)
    assert office.answer(WELCOME, SEPTEMBER) == {"accepted": 1}


def test_r2_a_welcome_without_a_term_asks_for_it_and_the_known_term_is_welcomed_then(office: Office) -> None:
    office.sign_up(ANA, entry_term="")
    assert office.answer(WELCOME, SEPTEMBER) == {"accepted": 1}
    assert "December 1" not in text_of_last(office)
    office.sign_up(ANA, at=SEPTEMBER + HOUR)
    assert office.answer(WELCOME, SEPTEMBER + HOUR) == {"accepted": 1}
    assert "December 1" in text_of_last(office)
    assert office.query("SELECT entry_term FROM interest") == ["fall 2027"]


def test_who_asked_without_a_term_and_then_began_an_application_is_still_welcomed(office: Office) -> None:
    office.sign_up(ANA, entry_term="")
    office.report(at=SEPTEMBER + MINUTE, AppStatus="Awaiting Submission")
    assert office.answer(WELCOME, SEPTEMBER + HOUR) == {"accepted": 1}


def test_who_began_an_application_and_then_asks_without_a_term_is_welcomed_too(office: Office) -> None:
    """To the term of the application; who has asked about one of their terms is not welcomed again."""
    for number, term in enumerate(("fall 2027", "spring 2028")):
        office.report(at=SEPTEMBER + MINUTE * number, AppStatus="Awaiting Submission", YearTerm=term)
    for hours in (1, 2):
        office.sign_up(ANA, at=SEPTEMBER + HOUR * hours, entry_term="")
        office.answer(WELCOME, SEPTEMBER + HOUR * hours)
    assert office.query("SELECT entry_term FROM cover") == ["fall 2027"]
    assert office.relay.recipients() == [ANA]


def test_who_came_by_an_application_alone_is_not_welcomed(office: Office) -> None:
    office.report(at=SEPTEMBER, AppStatus="Awaiting Submission")
    assert office.answer(WELCOME, SEPTEMBER) == {}


def test_a_welcome_names_a_deadline_to_its_last_minute_also_where_the_day_is_over(office: Office) -> None:
    """Ten in the evening of 1 December in Boston: 2 December in Shanghai, and the deadline is still ahead."""
    now = T_14.replace(month=12, day=2, hour=3)
    office.sign_up(ANA, at=now, time_zone="Asia/Shanghai")
    assert office.answer(WELCOME, now) == {"accepted": 1}
    assert "December 1, 11:59 p.m. Boston" in text_of_last(office)


def test_more_people_than_one_claim_holds(office: Office) -> None:
    for number in range(PEOPLE_A_CLAIM + 1):
        office.fill_in(f"person{number}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    assert office.answer(WELCOME, SEPTEMBER) == {"accepted": PEOPLE_A_CLAIM + 1}


def test_a_submitted_application_gets_one_receipt_with_the_day_of_submission(office: Office) -> None:
    office.report(at=T_14, SubmittedDateTime="2026-11-15T22:30:00-05:00")
    assert office.answer(RECEIPT, T_14) == {"accepted": 1}
    assert "Sunday, November 15, 10:30 p.m. Boston" in text_of_last(office)
    office.report(at=T_14 + HOUR, AppStatus="Awaiting Materials", SubmittedDateTime="2026-11-17T09:00:00-05:00")
    assert office.answer(RECEIPT, T_14 + HOUR) == {}


def test_a_started_application_gets_none_until_it_is_submitted(office: Office) -> None:
    office.report(at=SEPTEMBER, AppStatus="Awaiting Submission")
    assert office.answer(RECEIPT, SEPTEMBER) == {}
    office.report(at=SEPTEMBER + HOUR)
    assert office.answer(RECEIPT, SEPTEMBER + HOUR) == {"accepted": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"Program": ""},
        {"Program": "MS-AIM"},
        {"YearTerm": "spring 2028"},
        {"Program": "MS-AIM", "YearTerm": "spring 2028"},
    ],
)
@pytest.mark.parametrize("answered_between", [True, False])
def test_an_application_whose_program_or_term_changes_gets_no_second_receipt(
    office: Office, change: dict[str, str], answered_between: bool
) -> None:
    office.report(at=T_14, **{"Program": ""} if change.get("Program") else {})
    answered = office.answer(RECEIPT, T_14) if answered_between else {}
    office.report(at=T_14 + HOUR, **change)
    assert Counter(answered) + Counter(office.answer(RECEIPT, T_14 + HOUR)) == {"accepted": 1}


def test_two_applications_get_a_receipt_each(office: Office) -> None:
    office.report(at=T_14)
    office.report(at=T_14, aid="a-2", YearTerm="spring 2028")
    assert office.answer(RECEIPT, T_14) == {"accepted": 2}


@pytest.mark.parametrize(
    ("age", "tally"),
    [
        (FOURTEEN_DAYS - SECOND, {"accepted": 1}),
        (FOURTEEN_DAYS, {"accepted": 1}),
        (FOURTEEN_DAYS + SECOND, {"withheld": 1}),
    ],
)
def test_an_old_submission_that_reaches_us_late_gets_no_receipt(
    office: Office, age: timedelta, tally: dict[str, int]
) -> None:
    office.report(at=T_14, SubmittedDateTime=(T_14 - age).isoformat())
    assert office.answer(RECEIPT, T_14) == tally
    assert office.withheld() == ["too_late"] * tally.get("withheld", 0)


def test_an_answer_refused_for_now_is_sent_by_the_next_run(office: Office) -> None:
    office.sign_up(ANA)
    office.relay.answers["content"] = "451 4.7.1 later"
    assert office.answer(WELCOME, SEPTEMBER) == {"retry": 1}
    office.relay.answers.clear()
    office.end_leases()
    assert office.answer(WELCOME, SEPTEMBER + MINUTE * 5) == {"accepted": 1}
