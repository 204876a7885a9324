"""The freshness gate: who may have submitted meanwhile is not told that they have not; R6 decides what is made up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.factories import (
    ANA,
    BEN,
    CUT_OFF,
    HOUR,
    MINUTE,
    NEW_YORK,
    SECOND,
    SEPTEMBER,
    STARTS,
    T_1,
    T_7,
    T_14,
    T_30,
    Office,
)

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.freshness import FeedWatch, GateChange, WatchedSource
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.sources.feed_errors import FeedUnreachableError
from enrollment_crm.sources.feeds import Delivery, Feed
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.sweeps import swept_until
from enrollment_crm.workflows.backlog import backlog
from enrollment_crm.workflows.deadlines import load_prep_sessions
from enrollment_crm.workflows.freshness import gate_at, tell_of_gate
from enrollment_crm.workflows.inbox import collect
from enrollment_crm.workflows.reminders import Due, find_due, finish_sweep, send_due, send_reminders

BUDGET = HOUR * 24
SLATE = FeedWatch((WatchedSource("slate", BUDGET),))
SUBMITTED = {"aid": "a-1", "Email": ANA, "YearTerm": "fall 2027", "AppStatus": "Awaiting Decision", "Program": "MS-AIM"}


def feed_of(rows: Sequence[dict[str, str]] | Exception, source: str = "slate") -> Feed:
    def read() -> Sequence[dict[str, str]]:
        if isinstance(rows, Exception):
            raise rows
        return rows

    return Feed(source, RecordKind.APPLICATION, lambda: [Delivery(read, keep=lambda: None)])


def deliver(office: Office, at: datetime, *rows: dict[str, str], load: bool = True) -> None:
    """Slate is pulled, and gives these rows."""
    collect(office.engine, [feed_of(rows)], now=at)
    if load:
        office.load(now=at)


@pytest.fixture
def watched(office: Office) -> Office:
    """An office that watches Slate, with Ana, who has had everything until T-14, and a pull of an hour before T-14."""
    office = replace(office, outbox=replace(office.outbox, freshness=SLATE))
    deliver(office, T_30 - HOUR)
    office.sign_up(ANA)
    assert office.sweep(T_30) == {"accepted": 1}
    deliver(office, T_14 - HOUR)
    assert office.sweep(T_14) == {"accepted": 1}
    return office


def marks(office: Office) -> tuple[datetime | None, datetime | None]:
    """How far deadlines and sessions have been swept."""
    with transaction(office.engine) as connection:
        swept = swept_until(connection)
    return swept.get(Sweep.DEADLINES), swept.get(Sweep.SESSIONS)


def due_names(office: Office, now: datetime) -> list[str]:
    return [one.name for one in find_due(office.outbox, now=now)]


def go_stale(office: Office, at: datetime = T_7, age: timedelta = HOUR * 31) -> None:
    """The last pull was so long before; everything was swept until then."""
    deliver(office, at - age)
    assert office.sweep(at - age) == {}


def test_a_reminder_is_held_visibly_while_the_feed_is_older_than_its_budget(watched: Office) -> None:
    go_stale(watched)
    assert watched.sweep(T_7) == {"held": 1}
    (name,) = due_names(watched, T_7)
    assert name.startswith("held: early action fall 2027")
    assert "7 days" in name
    assert name.endswith("America/New_York · 1: applications feed slate last came 31 h ago, budget 24 h")
    assert dict(send_reminders(watched.outbox, now=T_7, dry_run=True).counts) == {"held": 1}
    assert len(watched.relay.taken) == 2
    assert backlog(watched.outbox, now=T_7).reminders_held == 1
    assert backlog(watched.outbox, now=T_7).reminders_to_send == 0


def test_deadlines_stay_where_they_were_while_sessions_go_on(watched: Office) -> None:
    go_stale(watched)
    assert send_reminders(watched.outbox, now=T_7).counts == {"held": 1}
    assert finish_sweep(watched.outbox, now=T_7)
    assert marks(watched) == (T_7 - HOUR * 31, T_7)
    assert watched.query("SELECT count(*) FROM outage") == [0]


@pytest.mark.parametrize(("late", "outcome"), [(timedelta(0), {"accepted": 1}), (SECOND, {"held": 1})])
def test_a_feed_is_stale_once_it_is_older_than_its_budget(
    watched: Office, late: timedelta, outcome: dict[str, int]
) -> None:
    go_stale(watched, age=BUDGET + late)
    assert watched.sweep(T_7) == outcome


def test_r6_what_was_held_goes_out_once_as_a_catch_up_when_the_feed_is_back(watched: Office) -> None:
    go_stale(watched)
    for hour in range(3):
        assert watched.sweep(T_7 + HOUR * hour) == {"held": 1}
    deliver(watched, T_7 + HOUR * 3)
    assert watched.sweep(T_7 + HOUR * 3) == {"accepted": 1}
    assert watched.query('SELECT "offset", catch_up FROM cover WHERE due_at > :then', then=T_7) == [("7d", True)]
    assert watched.sweep(T_7 + HOUR * 3 + MINUTE * 5) == {}
    assert marks(watched) == (T_7 + HOUR * 3 + MINUTE * 5,) * 2
    assert watched.query("SELECT count(*) FROM outage") == [1]


def test_what_was_held_for_less_than_an_hour_goes_out_as_on_time(watched: Office) -> None:
    go_stale(watched)
    assert watched.sweep(T_7) == {"held": 1}
    deliver(watched, T_7 + MINUTE * 30)
    assert watched.sweep(T_7 + MINUTE * 30) == {"accepted": 1}
    assert watched.query('SELECT "offset", catch_up FROM cover WHERE due_at >= :then', then=T_7) == [("7d", False)]
    assert watched.query("SELECT count(*) FROM outage") == [0]


def test_r7_a_submission_that_arrives_with_the_feed_withholds_what_was_held(watched: Office) -> None:
    go_stale(watched)
    watched.sweep(T_7)
    deliver(watched, T_7 + HOUR * 3, SUBMITTED)
    assert watched.sweep(T_7 + HOUR * 3) == {"withheld": 1}
    assert watched.withheld() == ["submitted"]
    assert len(watched.relay.taken) == 2


def test_the_gate_opens_once_what_the_feed_brought_has_been_taken_in(watched: Office) -> None:
    go_stale(watched)
    watched.sweep(T_7)
    deliver(watched, T_7 + HOUR * 3, SUBMITTED, load=False)
    assert watched.sweep(T_7 + HOUR * 3) == {"held": 1}
    assert gate_at(watched.outbox, now=T_7 + HOUR * 3).reason == (
        "applications feed slate was last taken in 34 h ago and rows of it wait, budget 24 h"
    )
    deliver(watched, T_7 + HOUR * 3 + MINUTE, SUBMITTED, load=False)  # the same rows again are no news
    assert watched.sweep(T_7 + HOUR * 3 + MINUTE) == {"held": 1}
    watched.load(now=T_7 + HOUR * 3 + MINUTE)
    assert watched.sweep(T_7 + HOUR * 3 + MINUTE * 2) == {"withheld": 1}


def test_rows_that_wait_for_a_moment_hold_nothing(watched: Office) -> None:
    deliver(watched, T_7 - MINUTE * 5)
    deliver(watched, T_7, SUBMITTED | {"Email": BEN}, load=False)
    assert not gate_at(watched.outbox, now=T_7).is_closed


def test_r6_of_two_that_were_held_the_newest_goes_out_and_the_older_collapses(office: Office) -> None:
    office = replace(office, outbox=replace(office.outbox, freshness=SLATE))
    deliver(office, T_30 - HOUR)
    office.sign_up(ANA)
    assert office.sweep(T_30) == {"accepted": 1}
    assert office.sweep(T_14) == {"held": 1}
    assert office.sweep(T_7) == {"held": 1}
    assert "7 days + 14 days" in due_names(office, T_7)[0]
    deliver(office, T_7 + HOUR * 2)
    assert office.sweep(T_7 + HOUR * 2) == {"accepted": 1, "withheld": 1}
    assert sorted(office.offsets()) == [("14d", "collapsed"), ("30d", None), ("7d", None)]


def test_r6_at_night_it_waits_for_the_morning(watched: Office) -> None:
    go_stale(watched)
    watched.sweep(T_7)
    night, morning = T_7 + HOUR * 13, T_7 + HOUR * 24  # 23:00 and the next 10:00 in New York
    assert watched.sweep(night - MINUTE) == {"held": 1}  # seen at night too
    deliver(watched, night)
    assert watched.sweep(night) == {}
    deliver(watched, morning - MINUTE)
    assert watched.sweep(morning - MINUTE) == {}
    assert watched.sweep(morning) == {"accepted": 1}


def test_r6_what_has_become_too_late_is_dropped_and_recorded(watched: Office) -> None:
    deliver(watched, T_7 - HOUR)
    assert watched.sweep(T_7) == {"accepted": 1}
    go_stale(watched, at=T_1)
    assert watched.sweep(T_1) == {"held": 1}
    late = CUT_OFF - HOUR * 2
    deliver(watched, late)
    assert watched.sweep(late) == {"withheld": 1}
    assert watched.withheld() == ["too_late"]


def test_r6_what_is_too_close_to_the_next_is_dropped_and_recorded(watched: Office) -> None:
    go_stale(watched)
    watched.sweep(T_7)
    deliver(watched, T_1 - HOUR * 48)
    assert watched.sweep(T_1 - HOUR * 48) == {"withheld": 1}
    assert watched.withheld() == ["too_close_to_next"]
    deliver(watched, T_1)
    assert watched.sweep(T_1) == {"accepted": 1}


def test_after_the_cut_off_nobody_is_held_any_more(watched: Office) -> None:
    deliver(watched, T_7 - HOUR)
    assert watched.sweep(T_7) == {"accepted": 1}
    go_stale(watched, at=T_1)
    assert watched.sweep(T_1) == {"held": 1}
    assert watched.sweep(CUT_OFF) == {}
    deliver(watched, CUT_OFF + HOUR)
    assert watched.sweep(CUT_OFF + HOUR) == {"withheld": 1}
    assert watched.withheld() == ["too_late"]


def test_who_has_submitted_is_not_held(watched: Office) -> None:
    deliver(watched, T_14 + HOUR, SUBMITTED)
    watched.sweep(T_14 + HOUR)
    assert watched.sweep(T_7) == {}


def test_an_invitation_is_held_and_a_reminder_of_a_session_is_not(office: Office) -> None:
    office = replace(office, outbox=replace(office.outbox, freshness=SLATE))
    session = PrepSession("prep-1", "Prep Session", STARTS, NEW_YORK, 60, "Online", "https://crm.example/1")
    load_prep_sessions(office.engine, [session], now=SEPTEMBER)
    office.sign_up(ANA, at=T_14 + SECOND, prep_session="prep-1", entry_term="")
    office.sign_up(BEN, at=T_14 + SECOND)
    invited = STARTS - HOUR * 24 * 7
    deliver(office, invited - HOUR * 31)
    office.sweep(invited - HOUR * 2)
    assert office.sweep(invited) == {"held": 1, "accepted": 1}
    assert set(office.relay.recipients()) == {ANA}
    assert any(name.startswith("held: invitation to prep-1") for name in due_names(office, invited))
    deliver(office, invited + MINUTE * 30)
    assert office.sweep(invited + MINUTE * 30) == {"accepted": 1}
    assert office.relay.recipients()[-1] == BEN


def test_what_was_claimed_and_waits_for_its_next_attempt_is_held_too(watched: Office) -> None:
    deliver(watched, T_7 - HOUR)
    watched.relay.answers["RCPT"] = "450 4.2.1 later"
    assert watched.sweep(T_7) == {"retry": 1}
    watched.relay.answers.clear()
    watched.end_leases()
    assert watched.sweep(T_7 + HOUR * 30) == {"held": 1}
    assert due_names(watched, T_7 + HOUR * 30)[0].startswith("held: unfinished deadline reminders · 1: applications")
    deliver(watched, T_7 + HOUR * 30)
    assert watched.sweep(T_7 + HOUR * 30) == {"accepted": 1}


def test_answers_are_never_held(watched: Office) -> None:
    watched.sign_up(BEN, at=T_7)
    assert watched.answer(MessageKind.WELCOME, T_7)["accepted"] == 2


def test_a_unit_that_was_found_while_the_gate_was_open_is_held_once_it_has_closed(watched: Office) -> None:
    deliver(watched, T_7 - BUDGET)
    watched.sweep(T_7 - HOUR)
    (due,) = find_due(watched.outbox, now=T_7)
    assert not due.held
    assert dict(send_due(watched.outbox, due, now=T_7 + SECOND).counts) == {"held": 1}
    assert len(watched.relay.taken) == 2


def test_a_held_unit_travels_as_plain_values(watched: Office) -> None:
    (due,) = find_due(watched.outbox, now=T_7)
    assert due.held
    assert Due.from_wire(due.to_wire()) == due
    assert ANA not in str(due.to_wire())


def test_a_pull_without_new_rows_is_a_delivery_and_one_that_fails_is_none(watched: Office) -> None:
    with pytest.raises(FeedUnreachableError):
        collect(watched.engine, [feed_of(FeedUnreachableError("503"))], now=T_7)
    assert gate_at(watched.outbox, now=T_7).is_closed
    collect(watched.engine, [feed_of([])], now=T_7, dry_run=True)
    assert gate_at(watched.outbox, now=T_7).is_closed
    collect(watched.engine, [feed_of([])], now=T_7)
    assert not gate_at(watched.outbox, now=T_7).is_closed
    collect(watched.engine, [feed_of([])], now=T_14)  # an older clock makes nothing older
    assert not gate_at(watched.outbox, now=T_7).is_closed


def test_every_watched_source_must_be_fresh(watched: Office) -> None:
    both = FeedWatch((*SLATE.sources, WatchedSource("webadmit", HOUR * 36)))
    office = replace(watched, outbox=replace(watched.outbox, freshness=both))
    finish_sweep(office.outbox, now=T_14)
    deliver(office, T_7)
    assert gate_at(office.outbox, now=T_7).reason == (
        "applications feed webadmit was set up 168 h ago and has not come yet, budget 36 h"
    )


def test_a_source_that_has_never_delivered_counts_from_when_it_was_first_seen(office: Office) -> None:
    office = replace(office, outbox=replace(office.outbox, freshness=SLATE))
    office.sign_up(ANA, at=T_14 - HOUR * 2)
    office.sweep(T_14 - HOUR)
    assert office.sweep(T_14) == {"accepted": 1}
    assert office.sweep(T_7) == {"held": 1}


def test_a_source_whose_folder_is_gone_is_watched_all_the_same(watched: Office) -> None:
    gone = FeedWatch((WatchedSource("slate", BUDGET, is_set_up=False), WatchedSource("other", BUDGET, is_set_up=False)))
    office = replace(watched, outbox=replace(watched.outbox, freshness=gone))
    assert [one.source for one in gate_at(office.outbox, now=T_7).sources] == ["slate"]
    assert office.sweep(T_7) == {"held": 1}


def test_a_look_ahead_is_judged_by_how_old_the_feed_is_now(watched: Office) -> None:
    ahead = replace(watched.outbox, freshness=replace(SLATE, judged_at=T_14))
    assert [one.held for one in find_due(ahead, now=T_7)] == [""]


class Operations:
    """Whoever is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_reached = True

    def tell(self, change: GateChange) -> None:
        if not self.is_reached:
            raise OSError("The relay does not answer.")
        self.told.append(change.in_words())

    def after_sweep(self, office: Office, now: datetime) -> list[str]:
        """Sweep, tell, and give what was told then."""
        self.told.clear()
        held = office.sweep(now).get("held", 0)
        tell_of_gate(office.outbox, self.tell, people_held=held, now=now)
        return list(self.told)


def test_operations_are_told_once_when_it_closes_and_once_when_it_opens(watched: Office) -> None:
    operations = Operations()
    deliver(watched, T_7 - HOUR * 31)
    assert operations.after_sweep(watched, T_7 - HOUR * 31) == []
    (closed,) = operations.after_sweep(watched, T_7)
    assert "slate last came 31 h ago, budget 24 h" in closed
    assert "for 1 person so far" in closed
    assert operations.after_sweep(watched, T_7 + MINUTE * 5) == []
    deliver(watched, T_7 + HOUR)
    (opened,) = operations.after_sweep(watched, T_7 + HOUR)
    assert "open: applications feed slate last came 0 min ago" in opened
    assert "for 1 person at the last look" in opened
    assert operations.after_sweep(watched, T_7 + HOUR * 2) == []
    (again,) = operations.after_sweep(watched, T_7 + HOUR * 26)
    assert "closed" in again


def test_whoever_could_not_be_told_is_told_by_the_next_sweep(watched: Office) -> None:
    operations = Operations()
    operations.is_reached = False
    with pytest.raises(OSError, match="does not answer"):
        operations.after_sweep(watched, T_7)
    operations.is_reached = True
    assert len(operations.after_sweep(watched, T_7 + MINUTE * 5)) == 1


def test_a_naive_instant_is_refused(office: Office) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        gate_at(office.outbox, now=datetime(2026, 11, 24, 10))  # noqa: DTZ001
    assert gate_at(office.outbox, now=datetime(2026, 11, 24, 10, tzinfo=UTC)).sources == ()
