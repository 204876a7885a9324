"""Complaints over the limit stop a kind of message, once for each; operations are told, or it is tried again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection
from tests.factories import HOUR, T_7, T_14, Office

from enrollment_crm.domain.feedback import ComplaintLimit, Feedback, FeedbackKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.complaints import stop_over_limit, tell_of_refusals
from enrollment_crm.workflows.feedback import take_feedback

LIMIT = ComplaintLimit(share=0.3, window_in_days=7, at_least=2)
NOW = T_14 + HOUR
DEADLINE = MessageKind.DEADLINE_REMINDER


@dataclass
class Watch:
    """What was stopped and told."""

    office: Office
    stopped: list[MessageKind] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def stop(self, connection: Connection, kind: MessageKind, reason: str, now: datetime) -> None:
        assert "@" not in reason
        self.stopped.append(kind)

    def tell(self, subject: str, sentence: str) -> None:
        self.told.append(f"{subject} {sentence}")

    def look(self, *, now: datetime = NOW, dry_run: bool = False) -> dict[str, int]:
        stop, tell = self.stop, self.tell
        return stop_over_limit(self.office.engine, LIMIT, stop=stop, tell=tell, now=now, dry_run=dry_run)

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


def test_complaints_over_the_limit_stop_their_kind_and_are_told_once(watch: Watch) -> None:
    watch.said(0, FeedbackKind.COMPLAINED)
    assert watch.look() == {"complaints_in_window": 1, "over_limit": 0, "over_limit_anew": 0, "stopped": 0}
    watch.said(1, FeedbackKind.COMPLAINED)
    assert watch.look()["stopped"] == 1
    assert watch.look()["stopped"] == 0
    assert watch.stopped == [DEADLINE]
    (told,) = watch.told
    assert told.startswith("Too many complaints about deadline_reminder 2 of 6 messages of the kind deadline_reminder")
    assert told.endswith("It was stopped.")


def test_without_anything_that_stops_operations_are_told_to(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    counts = stop_over_limit(watch.office.engine, LIMIT, tell=watch.tell, now=NOW)
    assert (counts["over_limit_anew"], counts["stopped"]) == (1, 0)
    assert "pause the DAG" in watch.told[0]


def test_the_next_complaint_stops_what_was_resumed(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    watch.look()
    watch.said(2, FeedbackKind.COMPLAINED)
    assert watch.look()["stopped"] == 1


def test_who_could_not_be_told_is_told_by_the_next_run(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    tell, watch.tell = watch.tell, _fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="relay"):
        watch.look()
    watch.tell = tell  # type: ignore[method-assign]
    assert watch.look()["stopped"] == 1


def _fail(subject: str, sentence: str) -> None:
    raise OSError("the relay is away")


def test_complaints_outside_the_window_do_not_count(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    late = watch.look(now=NOW + timedelta(days=7))
    assert (late["complaints_in_window"], late["over_limit_anew"]) == (0, 0)


def test_a_dry_run_stops_and_tells_nothing(watch: Watch) -> None:
    for number in range(2):
        watch.said(number, FeedbackKind.COMPLAINED)
    assert watch.look(dry_run=True)["stopped"] == 1
    assert watch.told == []
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
