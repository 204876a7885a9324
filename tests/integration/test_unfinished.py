"""What was left unfinished goes out as it is true by then, or is withheld; nobody is passed over."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from tests.factories import ANA, HOUR, MINUTE, PROGRAM, SEPTEMBER, STARTS, T_1, T_7, T_30, Office

from enrollment_crm.domain.programs import Program
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.reminders import finish_sweep, send_reminders


def test_r7_a_message_that_is_not_frozen_is_written_without_the_term_that_was_submitted(office: Office) -> None:
    office.sign_up(ANA, entry_term="fall 2027")
    office.sign_up(ANA, entry_term="spring 2027")
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(T_7)
    office.report(at=T_7 + MINUTE, YearTerm="Spring 2027")
    office.relay.answers.clear()
    office.end_leases()

    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}
    (mail,) = office.relay.taken
    assert b"fall 2027" in mail.content
    assert b"spring 2027" not in mail.content
    assert office.withheld() == ["submitted"]


def test_a_stalled_reminder_is_overtaken_by_the_next_point(office: Office) -> None:
    office.sign_up(ANA)
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(T_7)
    office.relay.answers.clear()
    office.end_leases()

    assert office.sweep(T_1) == {"accepted": 1, "withheld": 1}
    assert len(office.relay.taken) == 1


def test_r10_a_stalled_session_reminder_is_too_late_once_the_session_has_begun(office: Office, session: str) -> None:
    office.sign_up(ANA, prep_session=session, entry_term="")
    office.sweep(SEPTEMBER)  # the confirmation
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(STARTS - HOUR)
    office.relay.answers.clear()
    office.end_leases()

    assert office.sweep(STARTS) == {"withheld": 1}
    assert office.sent("session_reminder") == []


def test_a_mistake_of_ours_costs_nobody_their_message(office: Office) -> None:
    office.sign_up(ANA)
    broken = replace(office.outbox, programs=_with_apply_url(office.outbox.programs, "javascript:alert(1)"))
    assert dict(send_reminders(broken, now=T_7).counts) == {"retry": 1}
    office.end_leases()

    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}


def _with_apply_url(programs: Mapping[str, Program], url: str) -> Mapping[str, Program]:
    return MappingProxyType({**programs, PROGRAM: replace(programs[PROGRAM], apply_url=url)})


def test_r5_a_sweep_does_not_move_on_past_a_person_who_waits_for_a_route(office: Office) -> None:
    office.sign_up(ANA)
    office.live(T_30, T_7 - MINUTE)
    office.change("UPDATE person SET needs_routing = true")
    assert office.sweep(T_7 + HOUR * 3) == {}
    office.change("UPDATE person SET needs_routing = false")

    assert office.sweep(T_7 + HOUR * 3 + MINUTE * 5) == {"accepted": 1}


def test_r5_a_sweep_does_not_move_on_past_a_person_whom_a_loader_holds(office: Office) -> None:
    office.sign_up(ANA)
    office.live(T_30, T_7 - MINUTE)
    with office.engine.begin() as loader:
        loader.exec_driver_sql("SELECT 1 FROM person FOR UPDATE")
        assert office.sweep(T_7 + HOUR * 3) == {}

    assert office.sweep(T_7 + HOUR * 3 + MINUTE * 5) == {"accepted": 1}


def test_a_sweep_that_settled_everybody_moves_on(office: Office) -> None:
    office.sign_up(ANA)
    office.sweep(T_7)

    assert finish_sweep(office.outbox, now=T_7)


@pytest.fixture
def folded(office: Office, session: str) -> int:
    """Ana's reminder of T-7 with an invitation folded in (R8), refused for now before it was frozen; her id."""
    ana = office.sign_up(ANA)
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(T_7)
    office.change(
        'INSERT INTO cover (person_id, kind, prep_session_id, session_starts, "offset", due_at, message_row_id, '
        "recorded_at) SELECT person_id, 'session_invitation', :session, :starts, '7d', due_at, id, claimed_at "
        "FROM message",
        session=session,
        starts=STARTS,
    )
    office.relay.answers.clear()
    office.end_leases()
    return ana


def test_r8_a_folded_invitation_goes_out_with_its_reminder(office: Office, folded: int) -> None:
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}
    assert b"YOU ARE INVITED" in office.relay.taken[0].content


def test_r8_a_folded_invitation_makes_no_message_by_itself(office: Office, folded: int) -> None:
    office.report(at=T_7 + MINUTE)
    assert office.sweep(T_7 + MINUTE * 5) == {"withheld": 1}
    assert office.query("SELECT state, withheld FROM message") == [("withheld", "submitted")]


def test_r8_whoever_wants_no_invitations_gets_the_reminder_alone(office: Office, folded: int) -> None:
    unsubscribe(office.engine, folded, "sessions", now=T_7 + MINUTE)
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}
    assert b"YOU ARE INVITED" not in office.relay.taken[0].content
    assert office.withheld() == ["unsubscribed"]


def test_r8_after_its_start_a_session_is_left_out_of_the_reminder(office: Office, folded: int) -> None:
    assert office.sweep(STARTS + MINUTE) == {"accepted": 1}
    assert b"YOU ARE INVITED" not in office.relay.taken[0].content
    assert office.withheld() == ["too_late"]
