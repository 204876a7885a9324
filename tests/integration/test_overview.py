"""The overview that operations and the demonstration read, and what the request-info page offers."""

from datetime import UTC, datetime

import pytest
from tests.factories import ANA, BEN, HOUR, PROGRAM, SEPTEMBER, T_7, T_14, Office

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.workflows.overview import overview
from enrollment_crm.workflows.request_info import options


def test_a_person_with_route_deadline_and_messages(office: Office) -> None:
    office.sign_up(ANA)
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.sweep(T_7)
    (ana,) = overview(office.engine, now=T_7).people
    assert (ana.name, ana.residency, ana.zone, ana.owner, ana.asked) == (
        "Ana Silva",
        "domestic",
        "America/New_York",
        "domestic-desk",
        True,
    )
    assert ana.entry_terms == ("fall 2027",)
    assert ana.next_deadline == "early action fall 2027, 2026-12-01"
    assert [(one.kind, one.about, one.offset, one.state) for one in ana.messages] == [
        ("welcome", "fall 2027", None, "accepted"),
        ("deadline_reminder", "early_action fall 2027", "7d", "accepted"),
    ]


def test_what_was_withheld_names_its_reason_at_the_claim_and_at_a_retry(office: Office) -> None:
    office.sign_up(ANA)
    office.sign_up(BEN)
    office.relay.answers["content"] = "451 4.7.1 later"
    office.report(ANA, at=T_14)
    office.sweep(T_7)
    office.report(BEN, at=T_7, aid="a-2")
    office.end_leases()
    office.sweep(T_7 + HOUR)
    found = overview(office.engine, now=T_7 + HOUR).people
    assert [one.messages[0].state for one in found] == ["withheld: submitted"] * 2


@pytest.mark.parametrize(
    ("terms", "next_deadline"),
    [
        (["fall 2027", "spring 2027"], "final spring 2027, 2026-11-01"),
        (["fall 2027"], "early action fall 2027, 2026-12-01"),
        ([""], ""),
        (["spring 2026"], ""),  # its dates are over
    ],
)
def test_the_next_deadline_is_the_earliest_ahead_of_all_terms(
    office: Office, terms: list[str], next_deadline: str
) -> None:
    for term in terms:
        office.sign_up(ANA, residency="international_outside_us", country="IN", entry_term=term)
    (ana,) = overview(office.engine, now=SEPTEMBER).people
    assert ana.next_deadline == next_deadline
    assert ana.entry_terms == tuple(term or "not known" for term in terms)


def test_rejected_rows_come_with_source_and_reason_and_without_values(office: Office) -> None:
    office.report(None, at=T_14)
    found = overview(office.engine, now=T_14)
    (rejected,) = found.quarantine
    assert (rejected.source, rejected.column) == ("slate", "")
    assert "no earlier row tells whose application it is" in rejected.reason
    assert (found.intake.rows_in, found.intake.accepted, found.intake.quarantined) == (1, 0, 1)


def test_what_waits_for_a_task_or_a_person_is_counted(office: Office) -> None:
    office.sign_up(ANA, residency="", country="")
    office.fill_in(BEN, at=SEPTEMBER)
    found = overview(office.engine, now=SEPTEMBER)
    assert (found.intake.pending, found.intake.not_loaded, found.intake.open_reviews, found.unrouted) == (1, 0, 1, 0)


def test_the_page_offers_terms_with_a_final_date_ahead_earliest_first_and_sessions_to_come(office: Office) -> None:
    program = office.outbox.programs[PROGRAM]
    offered = options(office.engine, program, now=datetime(2025, 11, 21, 18, tzinfo=UTC))
    assert offered.program_name == program.name
    assert offered.entry_terms == ("spring 2026", "fall 2026", "spring 2027", "fall 2027", "spring 2028", "fall 2028")
    assert [one.label for one in offered.prep_sessions] == [
        "Graduate Application Prep Session, Friday, December 5, 10:00 a.m. Boston"
    ]
