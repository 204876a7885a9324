from datetime import UTC, datetime, timedelta

import pytest

from enrollment_crm.domain.canonical_rows import UnvalidatedRowError
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.signups import signup_of
from enrollment_crm.domain.terms import EntryTerm, Season

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ROW = {
    "email": "Asha.Rao@Example.com",
    "first_name": "Asha",
    "country": "IN",
    "time_zone": "Asia/Kolkata",
    "entry_term": "spring 2027",
    "residency": "international_outside_us",
    "consent": "yes",
    "consent_text_version": "request-info-1",
    "occurred_at": "2026-11-20T03:15:00-05:00",
}


def test_reads_an_accepted_row() -> None:
    signup = signup_of(ROW, source="form", received_at=NOW)
    assert signup.email == "Asha.Rao@Example.com"
    assert signup.entry_term == EntryTerm(2027, Season.SPRING)
    assert signup.residency_evidence.stated is Residency.INTERNATIONAL_OUTSIDE_US
    assert signup.residency_evidence.source == "form"
    assert (signup.country, signup.residency_evidence.address_country) == ("IN", "IN")
    assert signup.consent
    assert signup.occurred_at == datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
    assert signup.received_at == NOW
    assert signup.last_name is None


def test_what_the_person_leaves_blank_is_none() -> None:
    signup = signup_of({"email": "a@example.com"}, source="form", received_at=NOW)
    assert signup.entry_term is None
    assert signup.residency_evidence.stated is None
    assert signup.occurred_at == NOW
    assert not signup.consent


def test_a_country_without_a_meaning_is_kept_for_review() -> None:
    signup = signup_of({**ROW, "country": "Wakanda"}, source="form", received_at=NOW)
    assert signup.country is None
    assert signup.unrecognised == {"country": "Wakanda"}


@pytest.mark.parametrize("change", [{"email": None}, {"entry_term": "summer 2027"}, {"occurred_at": "yesterday"}])
def test_refuses_rows_that_validation_would_have_rejected(change: dict[str, str | None]) -> None:
    with pytest.raises(UnvalidatedRowError):
        signup_of({**ROW, **change}, source="form", received_at=NOW)


def test_a_clock_that_runs_ahead_does_not_outrank_what_is_said_later() -> None:
    """It would hold against every answer until then, and against the decision of a person."""
    ahead = (NOW + timedelta(hours=20)).isoformat()
    signup = signup_of({**ROW, "occurred_at": ahead}, source="form", received_at=NOW)
    assert signup.residency_evidence.said_at == NOW


def test_a_consent_of_a_day_that_has_not_come_is_none() -> None:
    with pytest.raises(UnvalidatedRowError, match=r"no proof of a consent: correct it, .*\.$"):
        signup_of({**ROW, "occurred_at": "2030-01-01T00:00:00-05:00"}, source="form", received_at=NOW)
