"""How a date without a year becomes the dates of the configured entry terms."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.deadline_listings import FURTHEST_MOVE_IN_DAYS, date_deadlines
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.listings import DeadlineListing, HoldReason
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm, Season

OUTSIDE = Residency.INTERNATIONAL_OUTSIDE_US
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def configured(year: int, stated: date, a_round: Round = Round.FINAL, season: Season = Season.FALL) -> Deadline:
    return Deadline(DeadlineGroup("ms-x", EntryTerm(year, season), a_round, OUTSIDE), stated)


def listing(month: int, day: int, year: int | None = None, a_round: Round = Round.FINAL) -> DeadlineListing:
    return DeadlineListing(Season.FALL, a_round, OUTSIDE, month, day, year)


FALL_2026, FALL_2027 = configured(2026, date(2026, 6, 1)), configured(2027, date(2027, 6, 1))


def test_an_unchanged_date_is_that_of_every_term() -> None:
    assert date_deadlines([listing(6, 1)], [FALL_2026, FALL_2027], now=LONG_AGO) == ((FALL_2026, FALL_2027), ())


def test_a_date_that_moves_over_new_year_takes_the_year_with_it() -> None:
    early = configured(2026, date(2025, 12, 1), Round.EARLY_ACTION)
    (found,), held = date_deadlines([listing(1, 15, a_round=Round.EARLY_ACTION)], [early], now=LONG_AGO)
    assert (found.stated_date, held) == (date(2026, 1, 15), ())


@given(st.dates(date(2025, 1, 1), date(2030, 12, 31)), st.integers(-FURTHEST_MOVE_IN_DAYS, FURTHEST_MOVE_IN_DAYS))
def test_any_move_within_the_limit_is_found_again(before: date, days: int) -> None:
    after = before + timedelta(days=days)
    dated, held = date_deadlines([listing(after.month, after.day)], [configured(2027, before)], now=LONG_AGO)
    assert ([one.stated_date for one in dated], held) == ([after], ())


@pytest.mark.parametrize(("month", "day"), [(12, 1), (1, 15)])
def test_a_move_that_could_be_of_either_year_is_for_a_person(month: int, day: int) -> None:
    dated, held = date_deadlines([listing(month, day)], [FALL_2027], now=LONG_AGO)
    assert dated == ()
    assert [(one.listing, one.reason) for one in held] == [
        ("fall 2027 final international_outside_us", HoldReason.LISTING_YEAR)
    ]
    assert "2027-06-01 is configured, more than 120 days apart: which year is meant?" in held[0].words


def test_29_february_is_dated_where_it_exists_and_said_where_not() -> None:
    terms = [configured(2027, date(2027, 3, 1)), configured(2028, date(2028, 3, 1))]
    dated, held = date_deadlines([listing(2, 29)], terms, now=LONG_AGO)
    assert [one.stated_date for one in dated] == [date(2028, 2, 29)]
    assert [one.words for one in held] == ["the page states 29 February, and 2027 has no such day: which day is meant?"]


def test_a_year_that_is_named_is_for_its_term_only() -> None:
    dated, held = date_deadlines([listing(6, 15, 2027)], [FALL_2026, FALL_2027], now=LONG_AGO)
    assert ([one.stated_date for one in dated], held) == ([date(2027, 6, 15)], ())


@pytest.mark.parametrize(
    ("month", "now", "terms"),
    [
        (6, datetime(2026, 6, 2, 3, 59, tzinfo=UTC), [2026, 2027]),
        (6, datetime(2026, 6, 2, 4, 0, tzinfo=UTC), [2027]),  # R1: the midnight after it in New York
        (7, datetime(2026, 6, 20, tzinfo=UTC), [2026, 2027]),  # what is over is extended
        (5, datetime(2026, 5, 20, tzinfo=UTC), [2026, 2027]),  # what is ahead is brought forward
        (5, datetime(2026, 6, 20, tzinfo=UTC), [2027]),
    ],
)
def test_terms_whose_date_is_over_are_left_out(month: int, now: datetime, terms: list[int]) -> None:
    dated, _ = date_deadlines([listing(month, 1)], [FALL_2026, FALL_2027], now=now)
    assert [one.group.entry_term.year for one in dated] == terms


@pytest.mark.parametrize("stated", [listing(6, 1, a_round=Round.EARLY_ACTION), listing(6, 1, 2031)])
def test_a_date_that_no_term_has_is_held_back(stated: DeadlineListing) -> None:
    dated, held = date_deadlines([stated], [FALL_2026], now=LONG_AGO)
    assert (dated, [one.reason for one in held]) == ((), [HoldReason.NOT_CONFIGURED])
    assert "no entry term in config/programs/ has such a date: add the term" in held[0].words
