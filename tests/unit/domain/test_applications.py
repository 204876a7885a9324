from datetime import UTC, datetime

import pytest

from enrollment_crm.domain.applications import ApplicationStatus, StatusReport, application_of, newer_status
from enrollment_crm.domain.canonical_rows import UnvalidatedRowError
from enrollment_crm.domain.instants import NaiveDatetimeError
from enrollment_crm.domain.residency import Citizenship
from enrollment_crm.domain.terms import EntryTerm, Season

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ROW = {
    "application_id": "a-1",
    "person_reference": "p-1",
    "email": "Asha@Example.com",
    "entry_term": "fall 2027",
    "status": "submitted",
    "source_status": "Awaiting Materials",
    "occurred_at": "2026-11-20T03:15:00-05:00",
    "citizenship": "none_of_the_us",
    "holds_visa": "no",
    "address_country": "IN",
}


def report(status: ApplicationStatus, day: int) -> StatusReport:
    return StatusReport(status, datetime(2026, 11, day, tzinfo=UTC))


STARTED, SUBMITTED = ApplicationStatus.STARTED, ApplicationStatus.SUBMITTED


def test_reads_an_accepted_row() -> None:
    application = application_of(ROW, source="slate", received_at=NOW)
    assert application.email == "Asha@Example.com"
    assert application.entry_term == EntryTerm(2027, Season.FALL)
    assert application.report == StatusReport(SUBMITTED, datetime(2026, 11, 20, 8, 15, tzinfo=UTC))
    assert application.residency_evidence.citizenship is Citizenship.NONE_OF_THE_US
    assert application.residency_evidence.holds_visa is False
    assert application.residency_evidence.address_country == "IN"
    assert application.residency_evidence.said_at == application.report.occurred_at
    assert application.unrecognised == {}


def test_a_clock_that_runs_ahead_does_not_outrank_what_is_said_later() -> None:
    application = application_of({**ROW, "occurred_at": "2030-01-01T00:00:00-05:00"}, source="slate", received_at=NOW)
    assert application.said_at == application.residency_evidence.said_at == NOW
    assert application.report.occurred_at.year == 2030


def test_a_value_without_a_meaning_is_left_out_of_the_evidence_and_kept() -> None:
    row = {**ROW, "citizenship": "Deferred Action", "address_country": "Wakanda", "holds_visa": "maybe"}
    application = application_of(row, source="slate", received_at=NOW)
    evidence = application.residency_evidence
    assert (evidence.citizenship, evidence.address_country, evidence.holds_visa) == (None, None, None)
    assert application.unrecognised == {
        "citizenship": "Deferred Action",
        "address_country": "Wakanda",
        "holds_visa": "maybe",
    }


def test_without_a_time_it_happened_when_it_reached_us() -> None:
    assert application_of({**ROW, "occurred_at": None}, source="slate", received_at=NOW).report.occurred_at == NOW


@pytest.mark.parametrize(
    "change",
    [
        {"entry_term": None},
        {"entry_term": "999999"},
        {"status": None},
        {"status": "withdrawn"},
        {"occurred_at": "46338"},
        {"occurred_at": "2026-11-20T03:15:00"},
        {"email": None, "application_id": None},
    ],
)
def test_refuses_rows_that_validation_would_have_rejected(change: dict[str, str | None]) -> None:
    with pytest.raises(UnvalidatedRowError, match=r"\.$"):
        application_of({**ROW, **change}, source="slate", received_at=NOW)


def test_refuses_a_clock_without_a_zone() -> None:
    with pytest.raises(NaiveDatetimeError):
        application_of(ROW, source="slate", received_at=datetime(2026, 11, 24))  # noqa: DTZ001
    with pytest.raises(NaiveDatetimeError):
        StatusReport(STARTED, datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        (report(STARTED, 1), report(SUBMITTED, 2), report(SUBMITTED, 2)),
        (report(SUBMITTED, 1), report(STARTED, 2), report(SUBMITTED, 1)),  # never back from submitted
        (report(STARTED, 1), report(STARTED, 2), report(STARTED, 2)),
        (report(SUBMITTED, 1), report(SUBMITTED, 2), report(SUBMITTED, 2)),
    ],
)
def test_the_status_that_holds_does_not_depend_on_the_order_of_arrival(
    one: StatusReport, other: StatusReport, holds: StatusReport
) -> None:
    assert newer_status(one, other) == newer_status(other, one) == holds


def test_the_first_report_holds_alone() -> None:
    assert newer_status(None, report(STARTED, 1)) == report(STARTED, 1)
