"""R9: who is to be told that a date has moved."""

from datetime import date

from tests.unit.domain.calendars import PROGRAM, SPRING, at, deadline, in_force, moved

from enrollment_crm.domain.deadlines import DeadlineRecord
from enrollment_crm.domain.notices import MovedDate, moved_dates, name_of_moved_date
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.turns import DateChange

DOMESTIC, INSIDE, OUTSIDE, UNKNOWN = Residency
NOW = at("2025-11-20T15:00Z")


def test_those_who_followed_the_old_date_and_follow_the_new_one_are_told() -> None:
    records = [*moved(SPRING[:1], [deadline("2025-12-15", DOMESTIC, version=2)], NOW), *in_force(SPRING[1:])]
    assert moved_dates([DateChange(NOW)], records) == [
        MovedDate(PROGRAM, "spring 2026", "final", "domestic", date(2025, 12, 1), date(2025, 12, 15), 2, NOW)
    ]


def test_people_of_unknown_residency_are_told_where_their_earliest_date_moved() -> None:
    new = [deadline("2025-12-15", one, term="fall 2026", version=2) for one in STATED_GROUPS]
    old = [deadline("2025-12-01", one, term="fall 2026") for one in STATED_GROUPS]
    told = {one.residency for one in moved_dates([DateChange(NOW)], moved(old, new, NOW))}
    assert told == set(Residency)


def test_a_group_that_had_no_date_before_is_told_nothing() -> None:
    assert moved_dates([DateChange(NOW)], in_force(SPRING, NOW)) == []


def test_a_date_that_stays_as_it_was_is_no_move() -> None:
    again = [deadline("2025-12-01", DOMESTIC, version=2)]
    assert moved_dates([DateChange(NOW)], moved(SPRING[:1], again, NOW)) == []
    assert moved_dates([], moved(SPRING[:1], again, NOW)) == []


def test_two_moves_to_one_date_are_told_apart_by_their_version() -> None:
    first, second = NOW, at("2025-11-22T15:00Z")
    there = moved(SPRING[:1], [], first)
    away = moved([deadline("2025-12-15", DOMESTIC, version=2)], [deadline("2025-12-01", DOMESTIC, version=3)], second)
    records = [*there, *away]
    found = moved_dates([DateChange(second)], records)
    assert [(one.old_date.day, one.new_date.day, one.offset) for one in found if one.residency == "domestic"] == [
        (15, 1, "v3")
    ]


def test_two_moves_between_two_sweeps_are_told_as_one() -> None:
    first, second = NOW, at("2025-11-20T15:04Z")
    old, between, new = (
        deadline("2025-12-01", DOMESTIC),
        deadline("2025-12-15", DOMESTIC, version=2),
        deadline("2025-12-20", DOMESTIC, version=3),
    )
    records = [
        *moved([old], [], first),
        DeadlineRecord(between, first, second),
        *in_force([new], second),
    ]
    found = moved_dates([DateChange(first), DateChange(second)], records)
    told = [one for one in found if one.residency == "domestic"]
    assert [(one.old_date.day, one.new_date.day, one.offset, one.at) for one in told] == [(1, 20, "v3", second)]


def test_what_operations_read_in_the_grid() -> None:
    one = MovedDate(PROGRAM, "fall 2026", "early_action", "domestic", date(2025, 12, 1), date(2025, 12, 15), 2, NOW)
    assert name_of_moved_date(one) == "moved: early action fall 2026 to 2025-12-15 · domestic"
