"""A plan in words: what a person must see before they approve it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from enrollment_crm.domain.calendar_plans import CalendarPlan, SessionImpact
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.impacts import CellImpact, Figures
from enrollment_crm.domain.plans_in_words import plan_in_words
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.proposals import DeadlineChange, SessionChange
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm

GROUP = DeadlineGroup("aim", EntryTerm.parse("fall 2027"), Round.FINAL, Residency.DOMESTIC)
NOTHING = Figures()
ENDS = Deadline(GROUP, date(2026, 12, 1)).ends_at()


def in_words(day: date, *, made_at: datetime, withheld: int = 0, checklists: Figures = NOTHING) -> str:
    change = DeadlineChange(Deadline(GROUP, date(2027, 8, 1)), Deadline(GROUP, day), "a page")
    figures = Figures(people=3, withheld=withheld)
    cell = CellImpact("aim", "fall 2027", "final", "domestic", date(2027, 8, 1), day, figures, checklists)
    return plan_in_words(CalendarPlan("a page", made_at, "", (change,), (cell,), (), ()))


@pytest.mark.parametrize(("made_at", "is_past"), [(ENDS - timedelta(seconds=1), False), (ENDS, True)])
def test_a_date_that_is_over_is_said_to_be_past(made_at: datetime, is_past: bool) -> None:
    assert ("Tue 2026-12-01, 243 days earlier; it is past" in in_words(date(2026, 12, 1), made_at=made_at)) is is_past


@pytest.mark.parametrize("withheld", [0, 2])
def test_whom_nothing_reaches_is_said(withheld: int) -> None:
    words = in_words(date(2027, 8, 15), made_at=ENDS, withheld=withheld)
    assert ("3 people follow it, 2 of them without its reminders" in words) is bool(withheld)


def test_what_applicants_get_stands_beside_the_rest_by_cell_and_in_all() -> None:
    theirs = Figures(people=2, withheld=1, to_come=3, withdrawn=1, reminded_people=1, reminders_sent=2)
    words = in_words(date(2027, 8, 15), made_at=ENDS, checklists=theirs)
    assert words.count("2 applications await something, 1 of them unreachable") == 2
    assert words.count("checklist reminders to come: 3; withdrawn: 1\n") == 2
    assert words.count("already sent for the old date: 2 to 1 people") == 2
    assert "of an outage" not in words
    late = in_words(date(2027, 8, 15), made_at=ENDS, checklists=Figures(people=1, too_late=1))
    assert "1 application awaits something\n" in late
    assert "of an outage, at once: 0, in their morning: 0; dropped as too close to the next: 0, as too late: 1" in late
    assert "await" not in in_words(date(2027, 8, 15), made_at=ENDS)


def test_what_is_not_done_is_said_also_where_nothing_would_change() -> None:
    plan = CalendarPlan("a page", ENDS, "", (), (), (), (), remarks=("it stays cancelled",))
    assert plan_in_words(plan) == "Nothing would change.\n\nNot done:\n- it stays cancelled"
    assert plan_in_words(replace(plan, remarks=())) == "Nothing would change: the calendar in force says the same."


def test_a_new_session_is_told_with_all_that_a_person_approves() -> None:
    starts = datetime(2026, 11, 6, 15, tzinfo=UTC)
    new = PrepSession("prep-7", "Prep Session", starts, "America/New_York", 60, "Online", "https://crm.example/7")
    plan = CalendarPlan("a page", ENDS, "", (), (), (SessionImpact(SessionChange(None, new), 0),), ())
    assert "prep-7, Fri 2026-11-06 10:00 (America/New_York): added (Prep Session, 60 minutes, Online)" in plan_in_words(
        plan
    )
