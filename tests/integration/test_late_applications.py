"""R1 on a real database: an application after the final cut-off is late, case by case: somebody must look."""

import pytest
from tests.factories import ANA, HOUR, MINUTE, SEPTEMBER, Office, utc

#: The midnight after 1 December 2026 in New York, by the source's own clock.
CUT_OFF = utc("2026-12-02T05:00")


def apply(office: Office, occurred_at: str, *, term: str = "spring 2027", **columns: str) -> None:
    at = utc("2026-12-10T12:00")
    office.report(ANA, at=at, YearTerm=term, SubmittedDateTime=occurred_at, **columns)


def late(office: Office) -> bool:
    return ("late_application", ANA) in office.reviews()


@pytest.mark.parametrize(
    ("occurred_at", "is_late"), [("2026-12-02T04:59:59.999+00:00", False), ("2026-12-02T05:00:00+00:00", True)]
)
def test_the_sources_own_clock_decides_however_late_the_report_arrives(
    office: Office, occurred_at: str, is_late: bool
) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    apply(office, occurred_at)
    assert late(office) is is_late


def test_unknown_residency_has_until_the_latest_of_the_three_dates(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="unknown", country="")
    apply(office, "2026-11-20T12:00:00+00:00")  # after 1 November
    assert not late(office)


def test_early_action_is_never_late(office: Office) -> None:
    office.sign_up(ANA)
    apply(office, "2026-12-09T12:00:00+00:00", term="fall 2027")
    assert not late(office)


def test_an_application_in_progress_is_not_late_yet(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    apply(office, "2026-12-09T12:00:00+00:00", AppStatus="Awaiting Submission")
    assert not late(office)


def test_the_question_is_asked_once_whatever_was_answered(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    apply(office, "2026-12-03T12:00:00+00:00")
    office.change("UPDATE review SET closed_at = now()")
    office.sign_up(ANA, at=CUT_OFF + HOUR * 400, entry_term="spring 2027")
    assert not late(office)


def test_an_answer_that_makes_it_late_asks(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027", residency="unknown", country="")
    apply(office, "2026-11-20T12:00:00+00:00")
    office.say_residency("international_outside_us", at=utc("2026-12-11T12:00"))
    assert late(office)


def test_nobody_is_refused_and_no_reminder_follows(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    office.sweep(SEPTEMBER)
    apply(office, "2026-12-03T12:00:00+00:00")
    office.sweep(utc("2026-12-10T12:00") + MINUTE)
    assert office.query("SELECT status FROM application") == ["submitted"]
    assert office.relay.taken == []
