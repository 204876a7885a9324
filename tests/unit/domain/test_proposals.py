"""Proposals: what is no change is none, what is over is left alone, and what cannot be says so."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.proposals import Proposal, ProposalError, deadline_changes, session_changes, still_cancelled
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
FINAL = Deadline(
    DeadlineGroup("ms", EntryTerm.parse("fall 2027"), Round.FINAL, Residency.DOMESTIC), date(2027, 8, 1), version=3
)
SESSION = PrepSession("p", "Prep", NOW + timedelta(days=9), "America/New_York", 60, "Online", "https://crm.example/p")


def moved(day: date) -> Proposal:
    return Proposal("a test", deadlines=(replace(FINAL, stated_date=day, version=1),))


def test_a_date_that_stays_is_no_change() -> None:
    assert deadline_changes(moved(FINAL.stated_date), [FINAL]) == ()


def test_a_date_that_moves_gets_the_next_version() -> None:
    (change,) = deadline_changes(moved(date(2027, 8, 8)), [FINAL])
    assert (change.old, change.new) == (FINAL, replace(FINAL, stated_date=date(2027, 8, 8), version=4))


def test_a_date_whose_clock_changes_is_a_change() -> None:
    proposal = Proposal("a test", deadlines=(replace(FINAL, cut_off_zone="Asia/Tokyo"),))
    assert len(deadline_changes(proposal, [FINAL])) == 1


def test_cancelling_what_is_not_there_is_no_change() -> None:
    assert deadline_changes(Proposal("a test", cancelled_deadlines=(FINAL.group,)), []) == ()


def test_a_group_is_named_once() -> None:
    both = replace(moved(date(2027, 8, 8)), cancelled_deadlines=(FINAL.group,))
    with pytest.raises(ProposalError, match="final fall 2027, domestic is named twice"):
        deadline_changes(both, [FINAL])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"starts": SESSION.starts + timedelta(hours=1)}, True),
        ({"minutes": 90}, True),
        ({"location": "Room 7"}, True),
        ({"title": "Prep, again"}, False),
        ({"url": "https://crm.example/q"}, False),
    ],
)
def test_of_what_changes_of_a_session_people_are_told(changed: dict[str, object], told: bool) -> None:
    new = replace(SESSION, **changed)  # type: ignore[arg-type]
    (change,) = session_changes(Proposal("a test", prep_sessions=(new,)), [SESSION], now=NOW)
    assert (change.is_told, change.fields) == (told, tuple(changed))


@pytest.mark.parametrize(
    "known",
    [replace(SESSION, starts=NOW - timedelta(days=1)), replace(SESSION, cancelled_at=NOW)],
    ids=["begun", "cancelled"],
)
def test_a_session_that_has_begun_or_was_cancelled_is_left_alone(known: PrepSession) -> None:
    proposal = Proposal("a test", prep_sessions=(replace(SESSION, title="New"),), cancelled_sessions=())
    assert session_changes(proposal, [known], now=NOW) == ()
    assert session_changes(Proposal("a test", cancelled_sessions=("p",)), [known], now=NOW) == ()


def test_a_session_does_not_move_into_the_past() -> None:
    past = Proposal("a test", prep_sessions=(replace(SESSION, starts=NOW - timedelta(days=1)),))
    with pytest.raises(ProposalError, match="which is past: cancel it"):
        session_changes(past, [SESSION], now=NOW)


def test_what_was_cancelled_and_is_listed_again_stays_cancelled_and_is_named() -> None:
    cancelled = replace(SESSION, cancelled_at=NOW - timedelta(days=1))
    again = Proposal("a test", prep_sessions=(replace(SESSION, title="New"),))
    assert still_cancelled(again, [cancelled], now=NOW) == (cancelled,)
    assert still_cancelled(again, [SESSION], now=NOW) == ()
    assert still_cancelled(Proposal("a test"), [cancelled], now=NOW) == ()
    over = Proposal("a test", prep_sessions=(replace(SESSION, starts=NOW),))
    assert still_cancelled(over, [cancelled], now=NOW) == ()
