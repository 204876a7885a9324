"""A plan in words: what a person must see before they approve it."""

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
ENDS = Deadline(GROUP, date(2026, 12, 1)).ends_at()


def in_words(day: date, *, made_at: datetime, withheld: int = 0) -> str:
    change = DeadlineChange(Deadline(GROUP, date(2027, 8, 1)), Deadline(GROUP, day), "a page")
    cell = CellImpact(
        "aim", "fall 2027", "final", "domestic", date(2027, 8, 1), day, Figures(people=3, withheld=withheld)
    )
    return plan_in_words(CalendarPlan("a page", made_at, "", (change,), (cell,), (), ()))


@pytest.mark.parametrize(("made_at", "is_past"), [(ENDS - timedelta(seconds=1), False), (ENDS, True)])
def test_a_date_that_is_over_is_said_to_be_past(made_at: datetime, is_past: bool) -> None:
    assert ("Tue 2026-12-01, 243 days earlier; it is past" in in_words(date(2026, 12, 1), made_at=made_at)) is is_past


@pytest.mark.parametrize("withheld", [0, 2])
def test_what_applicants_get_is_said_not_to_be_counted(withheld: int) -> None:
    words = in_words(date(2027, 8, 15), made_at=ENDS, withheld=withheld)
    assert ("checklist reminders of those who applied follow the new dates" in words) is bool(withheld)
    assert ("3 people follow it, 2 of them without its reminders" in words) is bool(withheld)


def test_a_new_session_is_told_with_all_that_a_person_approves() -> None:
    starts = datetime(2026, 11, 6, 15, tzinfo=UTC)
    new = PrepSession("prep-7", "Prep Session", starts, "America/New_York", 60, "Online", "https://crm.example/7")
    plan = CalendarPlan("a page", ENDS, "", (), (), (SessionImpact(SessionChange(None, new), 0),), ())
    assert "prep-7, Fri 2026-11-06 10:00 (America/New_York): added (Prep Session, 60 minutes, Online)" in plan_in_words(
        plan
    )
