"""R7: what withholds a message, by reason and by kind, read in the statement that claims it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import literal, select
from tests.factories import ANA, BEN, HOUR, MINUTE, PROGRAM, SEPTEMBER, T_7, T_14, Office, fact_at

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.models import PersonRow
from enrollment_crm.storage.withholding import withheld_reason
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.deadlines import load_prep_sessions
from enrollment_crm.workflows.feedback import take_bounce, take_complaint
from enrollment_crm.workflows.suppressions import add_suppression

#: Its points are not those of a deadline.
STARTS = datetime(2026, 11, 27, 17, tzinfo=UTC)
DEADLINE, WELCOME, SESSION, RECEIPT = (
    MessageKind.DEADLINE_REMINDER,
    MessageKind.WELCOME,
    MessageKind.SESSION_REMINDER,
    MessageKind.APPLICATION_RECEIVED,
)
EVERYTHING = (DEADLINE, WELCOME, SESSION, RECEIPT)
#: Which kinds each reason withholds. Answers to what one did oneself are withheld where nobody would read them.
WITHHOLDS = {
    "erased": EVERYTHING,
    "merged": EVERYTHING,
    "complained": EVERYTHING,
    "bounced": EVERYTHING,
    "suppressed": EVERYTHING,
    "unsubscribed": (DEADLINE, WELCOME),
    "submitted": (DEADLINE, WELCOME),
}


def arrive(office: Office, kind: MessageKind) -> int:
    """A person who is owed a message of this kind."""
    session = PrepSession("prep-1", "Prep Session", STARTS, "America/New_York", 60, "Online", "https://crm.example/1")
    load_prep_sessions(office.engine, [session], now=SEPTEMBER)
    if kind is SESSION:
        person = office.sign_up(ANA, at=STARTS - HOUR * 25, prep_session="prep-1", entry_term="")
        office.sweep(STARTS - HOUR * 25)  # their seat is confirmed
        return person
    person = office.sign_up(ANA)
    if kind is RECEIPT:
        office.report(at=T_14)
    return person


def happen(office: Office, reason: str, person: int) -> None:
    """What the reason names happens to the person."""
    match reason:
        case "unsubscribed":
            unsubscribe(office.engine, person, "*", now=T_14)
        case "submitted":
            office.report(at=T_14)
        case "bounced":
            take_bounce(office.engine, ANA, "5.1.1", fact=fact_at(T_14))
        case "complained":
            take_complaint(office.engine, ANA, fact=fact_at(T_14))
        case "suppressed":
            add_suppression(office.engine, ANA, by="ops", why="asked on the telephone", now=T_14)
        case "merged":
            office.change(
                "UPDATE person SET merged_into_id = :into WHERE id = :id", into=office.sign_up(BEN), id=person
            )
            office.change("DELETE FROM interest WHERE person_id <> :id", id=person)
        case _:
            office.change(f"UPDATE person SET {reason}_at = now() WHERE id = :id", id=person)


def send(office: Office, kind: MessageKind) -> dict[str, int]:
    match kind:
        case MessageKind.DEADLINE_REMINDER:
            return office.sweep(T_7)
        case MessageKind.SESSION_REMINDER:
            return office.sweep(STARTS - HOUR * 24)
        case _:
            return office.answer(kind, T_14)


@pytest.mark.parametrize("kind", EVERYTHING)
def test_nothing_withholds_a_message_without_a_reason(office: Office, kind: MessageKind) -> None:
    arrive(office, kind)
    assert send(office, kind)["accepted"] == 1
    assert [one for one in office.withheld() if one != "submitted"] == []


@pytest.mark.parametrize("reason", WITHHOLDS)
@pytest.mark.parametrize("kind", EVERYTHING)
def test_r7_each_reason_withholds_its_kinds(office: Office, kind: MessageKind, reason: str) -> None:
    happen(office, reason, arrive(office, kind))
    tally = send(office, kind)
    if kind in WITHHOLDS[reason]:
        assert "accepted" not in tally
        assert office.query("SELECT withheld FROM cover WHERE kind = :kind", kind=kind.value) == [reason]
        assert office.sent(kind.value) == []
    else:
        assert tally["accepted"] == 1
    # Recorded or sent, it is settled: it does not come back.
    assert send(office, kind) == {}


#: Reasons that withhold a kind, as its statement reads them for a program and a term.
MARKETING_REASONS = {"erased", "merged", "complained", "bounced", "suppressed", "unsubscribed", "submitted"}
ONLY_WHERE_NOBODY_READS = {"erased", "merged", "complained", "bounced", "suppressed"}
REASONS = {
    MessageKind.WELCOME: MARKETING_REASONS,
    MessageKind.DEADLINE_REMINDER: MARKETING_REASONS,
    MessageKind.DEADLINE_MOVED: MARKETING_REASONS,
    MessageKind.SESSION_INVITATION: MARKETING_REASONS,
    MessageKind.SESSION_CONFIRMATION: ONLY_WHERE_NOBODY_READS,
    MessageKind.SESSION_REMINDER: ONLY_WHERE_NOBODY_READS,
    MessageKind.SESSION_MOVED: ONLY_WHERE_NOBODY_READS,
    MessageKind.SESSION_CANCELLED: ONLY_WHERE_NOBODY_READS,
    MessageKind.APPLICATION_RECEIVED: ONLY_WHERE_NOBODY_READS,
    MessageKind.CHECKLIST_REMINDER: ONLY_WHERE_NOBODY_READS,
}


@pytest.mark.parametrize("reason", WITHHOLDS)
def test_r7_each_reason_holds_for_every_kind_that_it_concerns(office: Office, reason: str) -> None:
    person = office.sign_up(ANA)
    assert _reasons(office, person) == dict.fromkeys(MessageKind)
    happen(office, reason, person)
    assert _reasons(office, person) == {kind: reason if reason in REASONS[kind] else None for kind in MessageKind}


def test_r7_an_unsubscription_from_sessions_withholds_invitations_alone(office: Office) -> None:
    person = office.sign_up(ANA)
    unsubscribe(office.engine, person, "sessions", now=T_14)
    withheld = {kind for kind, reason in _reasons(office, person).items() if reason}
    assert withheld == {MessageKind.SESSION_INVITATION}


def test_r7_an_unsubscription_from_reminders_withholds_the_notice_of_a_moved_deadline(office: Office) -> None:
    person = office.sign_up(ANA)
    unsubscribe(office.engine, person, office.outbox.topic_of(DEADLINE), now=T_14)
    assert _reasons(office, person)[MessageKind.DEADLINE_MOVED] == "unsubscribed"


def _reasons(office: Office, person: int) -> dict[MessageKind, str | None]:
    """Why a message about the program and term of this person would be withheld, by kind."""
    about = {"program": literal(PROGRAM), "entry_term": literal("fall 2027")}
    with transaction(office.engine) as connection:
        return {
            kind: connection.execute(
                select(withheld_reason(kind, topic=topic, **about)).where(PersonRow.id == person)
            ).scalar_one()
            for kind, topic in office.outbox.topics.items()
        }


def test_the_gravest_reason_is_the_one_that_is_recorded(office: Office) -> None:
    person = office.sign_up(ANA)
    for reason in ("submitted", "unsubscribed", "bounced", "complained"):
        happen(office, reason, person)
    office.sweep(T_7)
    assert office.withheld() == ["complained"]


def test_an_unsubscription_from_another_topic_withholds_nothing(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), "sessions", now=T_14)
    assert office.sweep(T_7) == {"accepted": 1}


def test_an_unsubscription_from_its_topic_withholds_it(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), office.outbox.topic_of(DEADLINE), now=T_14)
    assert office.sweep(T_7) == {"withheld": 1}


@pytest.mark.parametrize("topic", ["*", "admissions"])
def test_r7_a_new_signup_lifts_an_unsubscription(office: Office, topic: str) -> None:
    unsubscribe(office.engine, office.sign_up(ANA), topic, now=T_14)
    office.sign_up(ANA, at=T_14 + HOUR)
    assert office.sweep(T_7) == {"accepted": 1}


def test_r7_a_signup_that_is_delivered_again_lifts_nothing(office: Office) -> None:
    unsubscribe(office.engine, office.sign_up(ANA, at=SEPTEMBER), "*", now=T_14)
    office.sign_up(ANA, at=SEPTEMBER)  # the same post once more
    assert office.sweep(T_7) == {"withheld": 1}


def test_r7_a_later_unsubscription_holds_again(office: Office) -> None:
    person = office.sign_up(ANA)
    unsubscribe(office.engine, person, "*", now=T_14)
    office.sign_up(ANA, at=T_14 + HOUR)
    unsubscribe(office.engine, person, "*", now=T_14 + HOUR * 2)
    assert office.sweep(T_7) == {"withheld": 1}


@pytest.mark.parametrize("reason", ["complained", "bounced"])
def test_r7_a_new_signup_never_lifts_a_complaint_or_a_hard_bounce(office: Office, reason: str) -> None:
    happen(office, reason, office.sign_up(ANA))
    office.sign_up(ANA, at=T_14)
    assert office.sweep(T_7) == {"withheld": 1}
    assert office.withheld() == [reason]


def test_r7_an_application_in_progress_withholds_nothing(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_14, AppStatus="Awaiting Submission")
    assert office.sweep(T_7) == {"accepted": 1}


def test_r7_an_application_for_another_term_withholds_nothing(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_14, YearTerm="fall 2028")
    assert office.sweep(T_7) == {"accepted": 1}


def test_r7_an_application_for_another_program_withholds_nothing(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_14)
    office.change("UPDATE application SET program = 'another'")
    assert office.sweep(T_7) == {"accepted": 1}


def test_r7_an_application_without_a_program_counts_for_all_programs_of_its_term(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_14, Program="")
    assert office.query("SELECT program FROM application") == [None]
    assert office.sweep(T_7) == {"withheld": 1}


def test_r7_what_was_submitted_minutes_before_the_point_is_known_at_the_claim(office: Office) -> None:
    office.sign_up(ANA)
    office.report(at=T_7 - MINUTE)
    assert office.sweep(T_7) == {"withheld": 1}
    assert office.withheld() == ["submitted"]
