"""Complaints over the limit stop a kind of message until somebody resumes it; refusals by policy are told."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from tests.factories import HOUR, T_7, T_14, Office

from enrollment_crm.domain.campaigns import BounceLimit, CampaignStop, CampaignStoppedError
from enrollment_crm.domain.feedback import ComplaintLimit, Feedback, FeedbackKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.campaigns import list_stops, resume, tell_of_stops
from enrollment_crm.workflows.complaints import stop_over_limit, stop_storms, tell_of_refusals
from enrollment_crm.workflows.feedback import take_feedback

LIMIT = ComplaintLimit(share=0.3, window_in_days=7, at_least=2)
NOW = T_14 + HOUR
DEADLINE = MessageKind.DEADLINE_REMINDER


@dataclass
class Watch:
    """What is stopped, and what operations are told."""

    office: Office
    told: list[str] = field(default_factory=list)

    def tell(self, subject: str, sentence: str) -> None:
        self.told.append(f"{subject} {sentence}")

    def look(self, *, now: datetime = NOW, dry_run: bool = False) -> dict[str, int]:
        return stop_over_limit(self.office.engine, LIMIT, now=now, dry_run=dry_run)

    def stops(self) -> list[CampaignStop]:
        return list_stops(self.office.engine, open_only=True)

    def said(self, number: int, kind: FeedbackKind, status: str = "") -> None:
        message_id = self.office.query("SELECT message_id FROM message ORDER BY id")[number]
        feedback = Feedback(
            kind=kind, message_id=str(message_id), source="mailbox", fact_id=f"{number} {kind}", at=NOW, status=status
        )
        with transaction(self.office.engine) as connection:
            take_feedback(connection, feedback)


@pytest.fixture
def watch(office: Office) -> Watch:
    """Six people were reminded."""
    for number in range(6):
        office.sign_up(f"reader-{number}@example.edu")
    office.sweep(T_14)
    return Watch(office)


def test_complaints_over_the_limit_stop_their_kind(watch: Watch) -> None:
    watch.said(0, FeedbackKind.COMPLAINED)
    assert watch.look() == {"complaints_in_window": 1, "over_limit": 0, "stopped": 0}
    watch.said(1, FeedbackKind.COMPLAINED)
    assert watch.look() == {"complaints_in_window": 2, "over_limit": 1, "stopped": 1}
    assert watch.look()["stopped"] == 0
    (stop,) = watch.stops()
    assert (stop.kind, stop.stopped_at) == (DEADLINE, NOW)
    assert stop.reason == "2 of 6 messages were reported as spam within 7 days, more than 30.0%."
    told: list[CampaignStop] = []
    assert tell_of_stops(watch.office.engine, told.append, now=NOW) == 1
    assert told == [stop]


def test_nothing_of_a_stopped_kind_goes_out(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    watch.look()
    taken = len(watch.office.relay.taken)
    with suppress(CampaignStoppedError):
        watch.office.sweep(T_7)
    assert len(watch.office.relay.taken) == taken


def test_the_next_complaint_stops_what_was_resumed_and_not_those_that_were_known(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    watch.look()
    resume(watch.office.engine, DEADLINE, by="ops", remedy="the list was wrong", now=NOW)
    watch.look()
    assert watch.stops() == []
    watch.said(2, FeedbackKind.COMPLAINED)
    watch.look()
    assert len(watch.stops()) == 1


def test_complaints_outside_the_window_do_not_count(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    late = watch.look(now=NOW + timedelta(days=7))
    assert late == {"complaints_in_window": 0, "over_limit": 0, "stopped": 0}


def test_a_dry_run_stops_nothing(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    assert watch.look(dry_run=True)["stopped"] == 1
    assert watch.stops() == []
    assert watch.look()["stopped"] == 1


def test_refusals_by_policy_are_told_once_a_day(watch: Watch) -> None:
    for number in range(3):
        watch.said(number, FeedbackKind.BOUNCED, "5.7.1")
    watch.said(3, FeedbackKind.BOUNCED, "5.2.2")
    engine, tell = watch.office.engine, watch.tell
    assert tell_of_refusals(engine, tell=tell, now=T_7) == {"refused_by_policy_lately": 0, "told": 0}
    assert tell_of_refusals(engine, tell=tell, now=NOW) == {"refused_by_policy_lately": 3, "told": 1}
    assert tell_of_refusals(engine, tell=tell, now=NOW + HOUR)["told"] == 0
    assert "3 bounces with 5.7.x" in watch.told[0]


def test_a_storm_of_bounces_that_a_relay_reports_later_stops_their_kind(watch: Watch) -> None:
    """Most relays take every address, and say afterwards which there are."""
    engine, limit = watch.office.engine, BounceLimit(share=0.4, window=6)
    for number, status in enumerate(["5.1.1", "5.4.4", "4.4.7", "5.7.1", "5.1.8"]):
        watch.said(number, FeedbackKind.BOUNCED, status)
    assert stop_storms(engine, limit, now=NOW) == {"stopped_by_bounces": 0}
    watch.said(5, FeedbackKind.BOUNCED, "5.2.1")
    assert stop_storms(engine, limit, now=NOW, dry_run=True) == {"stopped_by_bounces": 1}
    assert watch.stops() == []
    assert stop_storms(engine, limit, now=NOW) == {"stopped_by_bounces": 1}
    (stop,) = watch.stops()
    assert stop.reason.startswith("3 of the last 6 messages were refused because of their address")
    resume(engine, DEADLINE, by="ops", remedy="the list was bought", now=NOW)
    assert stop_storms(engine, limit, now=NOW + HOUR) == {"stopped_by_bounces": 0}
