"""Deadlines: when they end (R1) and whose they are (R2)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round, deadlines_of, earliest_ahead, ends_at
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm

PROGRAM = "ms-test"
DOMESTIC, INSIDE, OUTSIDE, UNKNOWN = Residency
EARLY, FINAL = Round


def deadline(term: str, a_round: Round, residency: Residency, day: str, *, program: str = PROGRAM) -> Deadline:
    return Deadline(DeadlineGroup(program, EntryTerm.parse(term), a_round, residency), date.fromisoformat(day))


#: The dates that the program page fixes for two terms, in no useful order.
CALENDAR = [
    deadline("fall 2027", FINAL, DOMESTIC, "2027-08-01"),
    deadline("fall 2027", FINAL, INSIDE, "2027-07-01"),
    deadline("fall 2027", FINAL, OUTSIDE, "2027-06-01"),
    *(deadline("fall 2027", EARLY, group, "2026-12-01") for group in (DOMESTIC, INSIDE, OUTSIDE)),
    deadline("spring 2027", FINAL, DOMESTIC, "2026-12-01"),
    deadline("spring 2027", FINAL, INSIDE, "2026-12-01"),
    deadline("spring 2027", FINAL, OUTSIDE, "2026-11-01"),
    deadline("spring 2027", FINAL, DOMESTIC, "2026-10-15", program="another"),
]


@pytest.mark.parametrize(
    ("stated", "first_instant_too_late"),
    [
        ("2025-11-01", "2025-11-02T04:00:00+00:00"),  # the midnight before the clocks change: still EDT
        ("2025-11-02", "2025-11-03T05:00:00+00:00"),
        ("2025-12-01", "2025-12-02T05:00:00+00:00"),
        ("2026-06-01", "2026-06-02T04:00:00+00:00"),
        ("2026-03-07", "2026-03-08T05:00:00+00:00"),
        ("2028-02-29", "2028-03-01T05:00:00+00:00"),
        ("2026-12-31", "2027-01-01T05:00:00+00:00"),
        ("2026-11-29", "2026-11-30T05:00:00+00:00"),  # a Sunday: no weekend roll
    ],
)
def test_r1_a_deadline_ends_at_the_next_midnight_in_new_york(stated: str, first_instant_too_late: str) -> None:
    assert ends_at(date.fromisoformat(stated)).isoformat() == first_instant_too_late


def test_r1_the_last_second_of_the_stated_date_is_in_time() -> None:
    last_second = datetime(2025, 12, 2, 4, 59, 59, 999_000, tzinfo=UTC)
    one = deadline("spring 2026", FINAL, INSIDE, "2025-12-01")
    assert last_second < one.ends_at() == last_second + timedelta(milliseconds=1)


def theirs(term: str, residency: Residency, now: str) -> list[tuple[str, str]]:
    found = deadlines_of(
        CALENDAR,
        program=PROGRAM,
        entry_term=EntryTerm.parse(term),
        residency=residency,
        now=datetime.fromisoformat(now),
    )
    return [(one.group.round.value, one.stated_date.isoformat()) for one in found]


@pytest.mark.parametrize(
    ("residency", "final"), [(OUTSIDE, "2027-06-01"), (INSIDE, "2027-07-01"), (DOMESTIC, "2027-08-01")]
)
def test_r2_a_fall_term_has_early_action_and_the_final_date_of_the_group(residency: Residency, final: str) -> None:
    assert theirs("fall 2027", residency, "2026-09-01T00:00Z") == [("early_action", "2026-12-01"), ("final", final)]


def test_r2_a_spring_term_has_its_final_date_only() -> None:
    assert theirs("spring 2027", OUTSIDE, "2026-09-01T00:00Z") == [("final", "2026-11-01")]


def test_r2_a_date_stays_a_persons_own_after_it_has_passed() -> None:
    assert theirs("spring 2027", OUTSIDE, "2026-11-20T00:00Z") == [("final", "2026-11-01")]


@pytest.mark.parametrize(
    ("now", "final"),
    [
        ("2026-09-01T00:00:00+00:00", ["2027-06-01"]),
        ("2027-06-02T03:59:59+00:00", ["2027-06-01"]),
        ("2027-06-02T04:00:00+00:00", ["2027-07-01"]),  # handed over at the cut-off itself
        ("2027-07-02T04:00:00+00:00", ["2027-08-01"]),
        ("2027-08-02T04:00:00+00:00", []),
    ],
)
def test_r2_unknown_residency_follows_the_earliest_date_still_ahead(now: str, final: list[str]) -> None:
    found = [day for a_round, day in theirs("fall 2027", UNKNOWN, now) if a_round == "final"]
    assert found == final


def test_r2_two_groups_with_one_date_are_one_deadline_for_unknown_residency() -> None:
    """1 December is three different deadlines at once."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    spring = [one for one in CALENDAR if str(one.group.entry_term) == "spring 2027" and one.group.program == PROGRAM]
    assert earliest_ahead(spring, now) == earliest_ahead(reversed(spring), now)
    assert theirs("spring 2027", UNKNOWN, "2026-11-20T00:00Z") == [("final", "2026-12-01")]


def test_r2_a_term_or_program_without_dates_has_no_deadline() -> None:
    assert theirs("spring 2031", OUTSIDE, "2026-09-01T00:00Z") == []
    assert earliest_ahead([], datetime(2026, 1, 1, tzinfo=UTC)) is None
