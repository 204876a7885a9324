"""Turns: the instants at which somebody's calendar changes, and the dates that each concerns (R2, R6, R9)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.unit.domain.calendars import EARLY_FALL, NEW_YORK, PROGRAM, SPRING, at, deadline, in_force, moved

from enrollment_crm.domain.deadlines import DeadlineRecord
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.turns import DateChange, Outage, PersonalTurn, Turn, date_changes, turned

DOMESTIC, INSIDE, OUTSIDE, UNKNOWN = Residency
A_SECOND = timedelta(seconds=1)


def concerns(turn: Turn, records: Sequence[DeadlineRecord]) -> list[tuple[str, str]]:
    """Group of people and the date that they have to catch up with."""
    return [(one.residency.value, one.deadline.stated_date.isoformat()) for one in turned(turn, records)]


def test_after_an_outage_everybody_turns_to_the_date_that_they_follow() -> None:
    outage = Outage(at("2025-10-20T00:00Z"), at("2025-10-26T00:00Z"))
    assert concerns(outage, in_force(SPRING)) == [
        ("domestic", "2025-12-01"),
        ("international_inside_us", "2025-12-01"),
        ("international_outside_us", "2025-11-01"),
        ("unknown", "2025-11-01"),
    ]
    assert not any(one.personal for one in turned(outage, in_force(SPRING)))


def test_an_outage_concerns_no_date_that_was_over_when_it_began() -> None:
    ends = SPRING[2].ends_at()
    # Over by its end, it is recorded as too late: also for those of unknown residency, who followed it until then.
    assert len(concerns(Outage(ends - A_SECOND, ends + A_SECOND), in_force(SPRING[2:]))) == 2
    assert concerns(Outage(ends, ends + A_SECOND), in_force(SPRING[2:])) == []


def test_r9_a_change_turns_those_who_follow_another_date_from_then_on() -> None:
    now = at("2025-11-20T15:00Z")
    records = [*moved(SPRING[:1], [deadline("2025-12-15", DOMESTIC, version=2)], now), *in_force(SPRING[1:])]
    assert concerns(DateChange(now), records) == [("domestic", "2025-12-15")]


def test_r9_unknown_residency_turns_where_the_earliest_date_is_another_one() -> None:
    now = at("2025-11-20T15:00Z")
    earlier = moved(SPRING[:1], [deadline("2025-11-28", DOMESTIC, version=2)], now)
    assert concerns(DateChange(now), [*earlier, *in_force(SPRING[1:])]) == [
        ("domestic", "2025-11-28"),
        ("unknown", "2025-11-28"),
    ]


def test_a_date_that_is_stated_for_the_first_time_is_a_turn_for_its_group() -> None:
    now = at("2025-11-20T15:00Z")
    records = in_force([deadline("2026-03-01", DOMESTIC, term="fall 2030")], now)
    assert concerns(DateChange(now), records) == [("domestic", "2026-03-01"), ("unknown", "2026-03-01")]


def test_a_personal_turn_concerns_both_rounds_of_the_term() -> None:
    fall = [*EARLY_FALL, *(deadline("2026-08-01", one, term="fall 2026") for one in STATED_GROUPS)]
    turn = PersonalTurn(at("2025-11-20T15:00Z"), NEW_YORK, "domestic", PROGRAM, "fall 2026")
    assert concerns(turn, in_force(fall)) == [("domestic", "2025-12-01"), ("domestic", "2026-08-01")]
    assert all(one.personal and one.at == turn.at for one in turned(turn, in_force(fall)))


def test_a_personal_turn_follows_the_dates_as_they_were_then() -> None:
    changed = at("2025-11-20T15:00Z")
    records = moved(SPRING[:1], [deadline("2025-12-15", DOMESTIC, version=2)], changed)
    before = PersonalTurn(changed - A_SECOND, NEW_YORK, "domestic", PROGRAM, "spring 2026")
    after = PersonalTurn(changed, NEW_YORK, "domestic", PROGRAM, "spring 2026")
    assert concerns(before, records) == [("domestic", "2025-12-01")]
    assert concerns(after, records) == [("domestic", "2025-12-15")]


@pytest.mark.parametrize(
    ("when", "followed", "handed_over"),
    [
        ("2025-11-02T03:59:59Z", "2025-11-01", None),
        ("2025-11-02T04:00:00Z", "2025-12-01", "2025-11-02T04:00:00Z"),
        ("2025-11-20T15:00:00Z", "2025-12-01", "2025-11-02T04:00:00Z"),
    ],
)
def test_r2_a_turn_of_somebody_of_unknown_residency_knows_the_last_hand_over(
    when: str, followed: str, handed_over: str | None
) -> None:
    turn = PersonalTurn(at(when), NEW_YORK, "unknown", PROGRAM, "spring 2026")
    (one,) = turned(turn, in_force(SPRING))
    assert one.deadline.stated_date.isoformat() == followed
    assert one.handed_over == (at(handed_over) if handed_over else None)


def test_after_the_last_date_there_is_nothing_to_follow_for_unknown_residency() -> None:
    turn = PersonalTurn(at("2025-12-02T05:00Z"), NEW_YORK, "unknown", PROGRAM, "spring 2026")
    assert concerns(turn, in_force(SPRING)) == []


def test_dates_that_came_into_force_at_one_instant_are_one_change() -> None:
    first, second = at("2025-11-20T15:00Z"), at("2025-11-21T15:00Z")
    records = [*in_force(SPRING, first), *in_force(EARLY_FALL, second)]
    assert date_changes(records, since=first, until=second) == [DateChange(first), DateChange(second)]
    assert date_changes(records, since=first + A_SECOND, until=second - A_SECOND) == []
