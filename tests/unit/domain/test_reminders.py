"""What is due between two instants (R2, R3, R5, R8), and what of it is only recorded (R6)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.points import Anchor, Cadence, deadline_points
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.reminders import (
    DueCell,
    DuePoint,
    DueSession,
    WithholdReason,
    due_cells,
    due_sessions,
    name_of_cell,
    name_of_session,
    still_due,
)
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm

NEW_YORK, SHANGHAI = "America/New_York", "Asia/Shanghai"
CADENCE = Cadence()
DOMESTIC, INSIDE, OUTSIDE, UNKNOWN = (one.value for one in Residency)


def deadline(term: str, a_round: Round, residency: Residency, day: str) -> Deadline:
    return Deadline(DeadlineGroup("ms-test", EntryTerm.parse(term), a_round, residency), date.fromisoformat(day))


SPRING = [
    deadline("spring 2026", Round.FINAL, Residency.DOMESTIC, "2025-12-01"),
    deadline("spring 2026", Round.FINAL, Residency.INTERNATIONAL_INSIDE_US, "2025-12-01"),
    deadline("spring 2026", Round.FINAL, Residency.INTERNATIONAL_OUTSIDE_US, "2025-11-01"),
]
EARLY_FALL = [deadline("fall 2026", Round.EARLY_ACTION, group, "2025-12-01") for group in STATED_GROUPS]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def due(since: str, until: str, *zones: str, deadlines: list[Deadline] = SPRING) -> list[DueCell]:
    return due_cells(deadlines, zones or (NEW_YORK,), CADENCE, since=at(since), until=at(until))


def follow(cells: list[DueCell], residency: str) -> list[tuple[str, str]]:
    """Instant and offset of everything that goes to people of this group."""
    return [
        (f"{cell.instant:%Y-%m-%dT%H:%MZ}", point.offset)
        for cell in cells
        for point in cell.points
        if point.residency == residency and point.withheld is None
    ]


def test_r5_the_end_of_the_span_is_in_it_and_its_beginning_is_not() -> None:
    a_second = timedelta(seconds=1)
    point = at("2025-11-24T15:00Z")
    for since, until, found in [
        (point - a_second, point, 1),
        (point, point + a_second, 0),
        (point - a_second, point - a_second, 0),
        (point - a_second * 2, point - a_second, 0),
    ]:
        assert len(due_cells(SPRING, [NEW_YORK], CADENCE, since=since, until=until)) == found


def test_people_of_each_zone_are_a_cell_at_their_own_ten_oclock() -> None:
    cells = due("2025-11-24T00:00Z", "2025-11-24T23:00Z", NEW_YORK, SHANGHAI, "Asia/Kolkata")
    assert [(cell.zone, f"{cell.instant:%H:%M}") for cell in cells] == [
        (SHANGHAI, "02:00"),
        ("Asia/Kolkata", "04:30"),
        (NEW_YORK, "15:00"),
    ]


def test_r8_points_of_several_deadlines_at_one_instant_are_one_cell() -> None:
    (cell,) = due("2025-11-24T14:00Z", "2025-11-24T16:00Z", deadlines=[*SPRING, *EARLY_FALL])
    of_domestic = [(one.entry_term, one.round, one.offset) for one in cell.points if one.residency == DOMESTIC]
    assert of_domestic == [("fall 2026", "early_action", "7d"), ("spring 2026", "final", "7d")]


def test_r2_unknown_residency_follows_the_earliest_date_and_the_hand_over_catches_nothing_up() -> None:
    """Swept every hour from September to December, as people of unknown residency would live through it."""
    span, found = timedelta(hours=1), []
    now = at("2025-10-01T00:00Z")
    while now < at("2025-12-03T00:00Z"):
        found += follow(due_cells(SPRING, [NEW_YORK], CADENCE, since=now - span, until=now), UNKNOWN)
        now += span
    assert found == [
        ("2025-10-02T14:00Z", "30d"),
        ("2025-10-18T14:00Z", "14d"),
        ("2025-10-25T14:00Z", "7d"),
        ("2025-10-31T14:00Z", "1d"),
        # the T-30 of 1 December fell while 1 November was still theirs
        ("2025-11-17T15:00Z", "14d"),
        ("2025-11-24T15:00Z", "7d"),
        ("2025-11-30T15:00Z", "1d"),
    ]


def test_r2_unknown_residency_is_reminded_once_of_a_date_that_two_groups_share() -> None:
    (cell,) = due("2025-11-24T14:00Z", "2025-11-24T16:00Z", deadlines=EARLY_FALL)
    assert [one.residency for one in cell.points].count(UNKNOWN) == 1
    assert {one.residency for one in cell.points} == set(Residency)


def reasons(cells: list[DueCell], residency: str) -> list[tuple[str, WithholdReason | None]]:
    return [(one.offset, one.withheld) for cell in cells for one in cell.points if one.residency == residency]


def test_r6_after_a_gap_the_newest_missed_point_goes_out_and_older_ones_are_recorded_as_collapsed() -> None:
    cells = due("2025-11-16T00:00Z", "2025-11-25T17:00Z")
    assert reasons(cells, DOMESTIC) == [("14d", WithholdReason.COLLAPSED), ("7d", None)]


def test_r6_after_the_cut_off_the_newest_point_is_too_late() -> None:
    cells = due("2025-11-16T00:00Z", "2025-12-02T05:00Z")
    assert reasons(cells, INSIDE) == [
        ("14d", WithholdReason.COLLAPSED),
        ("7d", WithholdReason.COLLAPSED),
        ("1d", WithholdReason.TOO_LATE),
    ]


def test_r6_in_the_evening_before_the_cut_off_it_is_not_too_late() -> None:
    assert reasons(due("2025-11-30T00:00Z", "2025-12-02T00:00Z"), INSIDE) == [("1d", None)]


def test_r6_each_zone_has_its_own_newest_point() -> None:
    cells = due("2025-11-17T00:00Z", "2025-11-24T02:00Z", SHANGHAI, NEW_YORK)
    newest = [(cell.zone, one.offset) for cell in cells for one in cell.points if one.withheld is None]
    assert set(newest) == {(SHANGHAI, "7d"), (NEW_YORK, "14d")}


zones = st.sampled_from([NEW_YORK, SHANGHAI, "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"])


@given(
    stated=st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    zone=zones,
    anchor=st.sampled_from(Anchor),
    days=st.sampled_from([365, 60, 30, 14, 7, 1]),
)
def test_every_point_on_earth_is_found_by_the_sweep_of_its_instant(
    stated: date, zone: str, anchor: Anchor, days: int
) -> None:
    """The shortcut that spares far deadlines the arithmetic leaves none out."""
    cadence = Cadence(offsets_in_days=(days,), anchor=anchor)
    one = deadline("fall 2026", Round.FINAL, Residency.DOMESTIC, stated.isoformat())
    (point,) = deadline_points(one, ZoneInfo(zone), cadence)
    (cell,) = due_cells([one], [zone], cadence, since=point.instant - timedelta(seconds=1), until=point.instant)
    assert (cell.instant, cell.zone, cell.points[0].offset) == (point.instant, zone, f"{days}d")


def test_nothing_is_due_on_a_day_without_points() -> None:
    assert due("2025-11-26T00:00Z", "2025-11-28T00:00Z") == []
    assert due("2025-11-24T00:00Z", "2025-11-25T00:00Z", deadlines=[]) == []


T_7 = DuePoint("ms-test", "spring 2026", "final", DOMESTIC, date(2025, 12, 1), "7d")


def cell_of(*points: DuePoint) -> DueCell:
    return DueCell(at("2025-11-24T15:00Z"), NEW_YORK, points)


def test_a_cell_that_is_sent_at_once_stands_as_it_was_found() -> None:
    cells = due("2025-11-24T14:00Z", "2025-11-24T15:00Z")
    assert [still_due(cell, SPRING, now=at("2025-11-24T15:05Z")) for cell in cells] == cells


def test_r9_a_point_of_a_date_that_was_moved_meanwhile_is_not_sent() -> None:
    moved = [deadline("spring 2026", Round.FINAL, Residency.DOMESTIC, "2025-12-15"), SPRING[1]]
    kept = still_due(cell_of(T_7), moved, now=at("2025-11-24T15:05Z"))
    assert kept.points == ()  # that others still have the old date makes no difference


def test_a_point_whose_deadline_is_over_when_it_is_sent_is_too_late() -> None:
    (point,) = still_due(cell_of(T_7), SPRING, now=at("2025-12-02T05:00Z")).points
    assert point.withheld is WithholdReason.TOO_LATE


def test_people_of_unknown_residency_follow_a_date_of_any_group() -> None:
    theirs = DuePoint("ms-test", "spring 2026", "final", UNKNOWN, date(2025, 12, 1), "7d")
    assert still_due(cell_of(theirs), SPRING, now=at("2025-11-24T15:05Z")).points == (theirs,)


def session(starts: str = "2025-11-07T15:00Z", *, zone: str = NEW_YORK) -> PrepSession:
    return PrepSession("prep-1", "Prep Session", at(starts), zone, 60, "Online", "https://crm.example/prep-1")


@pytest.mark.parametrize(
    ("since", "until", "offsets"),
    [
        ("2025-10-31T13:59Z", "2025-10-31T14:00Z", ["7d"]),
        ("2025-10-31T14:00Z", "2025-10-31T15:00Z", []),
        ("2025-11-06T14:00Z", "2025-11-06T15:00Z", ["1d"]),
        ("2025-11-07T13:00Z", "2025-11-07T14:00Z", ["1h"]),
        ("2025-11-06T14:00Z", "2025-11-07T14:59:59Z", ["1d", "1h"]),
        ("2025-11-06T14:00Z", "2025-11-07T15:00Z", []),  # it has begun: no catching up
    ],
)
def test_r10_reminders_of_a_session(since: str, until: str, offsets: list[str]) -> None:
    found = due_sessions([session()], CADENCE, since=at(since), until=at(until))
    assert [one.offset for one in found] == offsets


def test_what_operations_read_in_the_grid() -> None:
    early = DuePoint("ms-test", "fall 2026", "early_action", OUTSIDE, date(2025, 12, 1), "7d")
    everyone = [DuePoint("ms-test", "fall 2026", "early_action", one, date(2025, 12, 1), "1d") for one in Residency]
    assert name_of_cell(cell_of(early)) == "early action fall 2026 · 7 days · outside US · America/New_York"
    assert name_of_cell(cell_of(early, T_7)) == (
        "early action fall 2026 + final spring 2026 · 7 days · domestic, outside US · America/New_York"
    )
    assert name_of_cell(cell_of(*everyone)) == "early action fall 2026 · 1 day · everyone · America/New_York"
    assert name_of_session(DueSession(datetime(2025, 11, 7, tzinfo=UTC), session(), "1h")) == "session prep-1 · 1 hour"
    assert name_of_session(DueSession(datetime(2025, 11, 7, tzinfo=UTC), session(), "7d")) == "session prep-1 · 7 days"
    assert name_of_session(DueSession(datetime(2025, 11, 7, tzinfo=UTC), session(), "30m")).endswith("30 minutes")
