"""Preferences: topics and pauses hold from the next claim on, and what is chosen again is caught up with (R6, R7)."""

from datetime import date

import pytest
from tests.factories import ANA, BEN, HOUR, MINUTE, SEPTEMBER, T_1, T_7, T_14, T_30, Office

from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.preferences import PauseInvalid, Preferences
from enrollment_crm.domain.topics import Topic
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.people import merge_people
from enrollment_crm.workflows.preferences import read_preferences, save_preferences

EVERYTHING = frozenset(Topic)


def choose(office: Office, person: int, *topics: Topic, until: date | None = None, at: object = T_14) -> bool:
    return save_preferences(office.engine, person, topics=topics, paused_until=until, now=at)  # type: ignore[arg-type]


def test_somebody_new_is_written_to_about_everything(office: Office) -> None:
    assert read_preferences(office.engine, office.sign_up(ANA), now=T_14) == Preferences(EVERYTHING, None)


def test_a_topic_that_was_left_is_withheld_and_the_others_go_on(office: Office) -> None:
    person = office.sign_up(ANA)
    choose(office, person, Topic.DEADLINES, Topic.NEWS)
    assert office.sweep(T_7) == {"accepted": 1}
    choose(office, person, Topic.NEWS, at=T_7 + HOUR)
    assert office.sweep(T_1) == {"withheld": 1}
    assert read_preferences(office.engine, person, now=T_1) == Preferences(frozenset({Topic.NEWS}), None)


def test_a_topic_that_is_chosen_again_is_a_consent_with_its_proof_and_catches_up(office: Office) -> None:
    person = office.sign_up(ANA)
    choose(office, person)
    assert office.sweep(T_14 + MINUTE) == {"withheld": 1}
    choose(office, person, Topic.DEADLINES, at=T_14 + HOUR)
    assert office.sweep(T_14 + HOUR)["accepted"] == 1
    assert office.query("SELECT basis, text_version FROM consent WHERE source = 'preferences'") == [
        ("express", "preferences-1: deadlines")
    ]
    assert read_preferences(office.engine, person, now=T_7) == Preferences(frozenset({Topic.DEADLINES}), None)


@pytest.mark.parametrize("topic", ["*", "admissions"])
def test_after_leaving_everything_one_topic_can_be_chosen_alone(office: Office, topic: str) -> None:
    person = office.sign_up(ANA)
    unsubscribe(office.engine, person, topic, now=T_14)
    assert read_preferences(office.engine, person, now=T_14) == Preferences(frozenset(), None)
    choose(office, person, Topic.SESSIONS, at=T_14 + HOUR)
    assert read_preferences(office.engine, person, now=T_7) == Preferences(frozenset({Topic.SESSIONS}), None)
    assert office.sweep(T_7) == {"withheld": 1}


def test_the_same_choice_again_changes_nothing(office: Office) -> None:
    person = office.sign_up(ANA)
    for at in (T_14, T_14 + HOUR):
        choose(office, person, Topic.DEADLINES, at=at)
    assert office.query("SELECT topic, at FROM unsubscription ORDER BY topic") == [("news", T_14), ("sessions", T_14)]


def test_a_pause_withholds_until_its_day_begins_on_the_readers_clock(office: Office) -> None:
    person = office.sign_up(ANA)
    choose(office, person, *EVERYTHING, until=date(2026, 11, 25))
    assert read_preferences(office.engine, person, now=T_7) == Preferences(EVERYTHING, date(2026, 11, 25))
    assert office.sweep(T_7) == {"withheld": 1}
    assert office.withheld()[-1] == "paused"
    assert read_preferences(office.engine, person, now=T_1) == Preferences(EVERYTHING, None)
    assert office.sweep(T_1) == {"accepted": 1}


def test_a_pause_that_is_ended_early_catches_up(office: Office) -> None:
    person = office.sign_up(ANA)
    choose(office, person, *EVERYTHING, until=date(2026, 12, 24))
    assert office.sweep(T_14 + MINUTE) == {"withheld": 1}
    choose(office, person, *EVERYTHING, at=T_14 + HOUR)
    assert office.sweep(T_14 + HOUR)["accepted"] == 1


def test_a_pause_holds_back_no_answer(office: Office) -> None:
    person = office.sign_up(ANA, at=T_14)
    choose(office, person, *EVERYTHING, until=date(2026, 12, 24), at=T_14)
    office.report(at=T_14 + HOUR)
    assert office.answer(MessageKind.APPLICATION_RECEIVED, T_14 + HOUR) == {"accepted": 1}


def test_what_waits_for_another_attempt_is_withheld_by_a_pause_as_well(office: Office) -> None:
    person = office.sign_up(ANA)
    office.sweep(T_14)
    office.change("UPDATE message SET state = 'retry', retry_at = now(), content = NULL, accepted_at = NULL")
    choose(office, person, *EVERYTHING, until=date(2026, 12, 24), at=T_14 + MINUTE)
    assert office.sweep(T_14 + HOUR / 2) == {"withheld": 1}


def test_a_pause_that_cannot_be_keeps_nothing(office: Office) -> None:
    person = office.sign_up(ANA)
    with pytest.raises(PauseInvalid):
        choose(office, person, until=date(2026, 11, 17))
    assert read_preferences(office.engine, person, now=T_14) == Preferences(EVERYTHING, None)


def test_a_new_signup_ends_a_pause(office: Office) -> None:
    person = office.sign_up(ANA)
    choose(office, person, *EVERYTHING, until=date(2026, 12, 24), at=T_30)
    office.sign_up(ANA, at=T_14 + HOUR)
    assert read_preferences(office.engine, person, now=T_7) == Preferences(EVERYTHING, None)


def test_a_merged_record_leads_to_the_other_and_the_stricter_choice_holds(office: Office) -> None:
    gone, stays = office.sign_up(BEN), office.sign_up(ANA)
    choose(office, gone, Topic.NEWS, until=date(2026, 12, 24))
    merge_people(office.engine, BEN, ANA, fact=Fact("test", "merge", T_14 + HOUR))
    for person in (gone, stays):
        chosen = read_preferences(office.engine, person, now=T_7)
        assert chosen == Preferences(frozenset({Topic.NEWS}), date(2026, 12, 24))


def test_nobody_is_there_after_an_erasure(office: Office) -> None:
    person = office.sign_up(ANA)
    office.erase(at=T_14)
    assert read_preferences(office.engine, person, now=T_7) is None
    assert not choose(office, person, Topic.NEWS)
    assert read_preferences(office.engine, 4711, now=T_7) is None


def test_the_consent_of_an_application_runs_out_in_canada_alone(office: Office) -> None:
    for number, (email, country) in enumerate(((ANA, "CA"), (BEN, "US"))):
        columns = {"AppStatus": "Awaiting Submission", "Address1Country": country, "aid": f"a-{number}"}
        office.report(email, at=SEPTEMBER.replace(year=2025), **columns)
    assert office.query("SELECT DISTINCT basis FROM consent") == ["inquiry"]
    office.sweep(T_7 - HOUR)
    assert office.sweep(T_7) == {"accepted": 1, "withheld": 1}
    assert office.reasons(ANA)[-1].endswith("consent_over")
    office.sign_up(ANA, at=T_7 + HOUR, country="CA")
    assert office.sweep(T_1)["accepted"] == 2
