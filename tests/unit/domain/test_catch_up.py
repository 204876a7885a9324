"""R6: what becomes of the points that lie before a turn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.catch_up import catch_up
from enrollment_crm.domain.points import Cadence, Point, in_window
from enrollment_crm.domain.withholding import WithholdReason

CADENCE = Cadence()
NEW_YORK, SHANGHAI = ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")
#: The points of 1 December 2025 in New York, and its cut-off.
POINTS = [
    Point("30d", datetime(2025, 11, 1, 14, tzinfo=UTC)),
    Point("14d", datetime(2025, 11, 17, 15, tzinfo=UTC)),
    Point("7d", datetime(2025, 11, 24, 15, tzinfo=UTC)),
    Point("1d", datetime(2025, 11, 30, 15, tzinfo=UTC)),
]
ENDS_AT = datetime(2025, 12, 2, 5, tzinfo=UTC)
AN_INSTANT = timedelta(microseconds=1)


def caught_up(
    turn: str | datetime, *, zone: ZoneInfo = NEW_YORK, cadence: Cadence = CADENCE, points: list[Point] = POINTS
) -> list[tuple[str, str, str | None]]:
    """Offset, instant and reason of each missed point."""
    instant = datetime.fromisoformat(turn) if isinstance(turn, str) else turn
    found = catch_up(points, turn=instant, ends_at=ENDS_AT, zone=zone, cadence=cadence)
    return [(one.point.offset, f"{one.settles_at:%m-%dT%H:%MZ}", one.withheld) for one in found]


def test_before_the_first_point_nothing_was_missed() -> None:
    assert caught_up("2025-11-01T13:59:59Z") == []


def test_a_point_at_the_turn_itself_was_not_missed() -> None:
    assert caught_up(POINTS[0].instant) == []
    assert caught_up(POINTS[0].instant + AN_INSTANT) == [("30d", "11-01T14:00Z", None)]


def test_the_newest_goes_out_at_once_and_the_older_ones_collapse_into_it() -> None:
    assert caught_up("2025-11-25T17:00Z") == [
        ("30d", "11-25T17:00Z", WithholdReason.COLLAPSED),
        ("14d", "11-25T17:00Z", WithholdReason.COLLAPSED),
        ("7d", "11-25T17:00Z", None),
    ]


@pytest.mark.parametrize(
    ("turn", "goes_out"),
    [
        ("2025-11-18T12:59:59Z", "11-18T15:00Z"),  # 07:59:59
        ("2025-11-18T13:00:00Z", "11-18T13:00Z"),  # 08:00 belongs to the window
        ("2025-11-19T01:59:59Z", "11-19T01:59Z"),  # 20:59:59
        ("2025-11-19T02:00:00Z", "11-19T15:00Z"),  # 21:00 does not
        ("2025-11-19T04:30:00Z", "11-19T15:00Z"),  # 23:30
    ],
)
def test_by_night_it_waits_for_ten_oclock_and_what_collapses_does_not(turn: str, goes_out: str) -> None:
    older, newest = caught_up(turn)
    assert older[1:] == (f"{datetime.fromisoformat(turn):%m-%dT%H:%MZ}", WithholdReason.COLLAPSED)
    assert newest == ("14d", goes_out, None)


def test_the_clock_is_the_recipients() -> None:
    assert caught_up("2025-11-18T15:00Z", zone=SHANGHAI)[-1] == ("14d", "11-19T02:00Z", None)  # 23:00 there


@pytest.mark.parametrize(
    ("before", "withheld"),
    [
        (timedelta(hours=48) + AN_INSTANT, None),
        (timedelta(hours=48), WithholdReason.TOO_CLOSE_TO_NEXT),
        (timedelta(hours=1), WithholdReason.TOO_CLOSE_TO_NEXT),
        (timedelta(0), WithholdReason.TOO_CLOSE_TO_NEXT),
    ],
)
def test_48_hours_or_less_before_the_next_point_it_is_dropped(
    before: timedelta, withheld: WithholdReason | None
) -> None:
    assert caught_up(POINTS[-1].instant - before)[-1][2] is withheld


def test_the_next_point_is_measured_from_the_turn_and_not_from_the_morning() -> None:
    """In the evening 59 hours before T-1: by the morning 48 are left, and it goes out all the same."""
    turn = POINTS[-1].instant - timedelta(hours=59)  # 23:00 in New York
    assert caught_up(turn)[-1] == ("7d", "11-28T15:00Z", None)


def test_what_is_dropped_is_recorded_at_the_turn_and_does_not_wait_for_the_morning() -> None:
    turn = POINTS[-1].instant - timedelta(hours=12)
    assert caught_up(turn)[-1] == ("7d", "11-30T03:00Z", WithholdReason.TOO_CLOSE_TO_NEXT)


@pytest.mark.parametrize(
    ("left", "withheld"),
    [
        (timedelta(hours=2) + AN_INSTANT, None),
        (timedelta(hours=2), WithholdReason.TOO_LATE),
        (timedelta(0), WithholdReason.TOO_LATE),
        (-timedelta(days=3), WithholdReason.TOO_LATE),
    ],
)
def test_2_hours_or_less_before_the_cut_off_it_is_too_late(left: timedelta, withheld: WithholdReason | None) -> None:
    """In Honolulu it is day when Boston's midnight comes."""
    assert caught_up(ENDS_AT - left, zone=ZoneInfo("Pacific/Honolulu"))[-1][2] is withheld


def test_what_would_be_left_is_measured_from_the_actual_sending() -> None:
    """At 21:00 in New York three hours are left; at ten in the morning none would be."""
    *older, newest = caught_up(ENDS_AT - timedelta(hours=3))
    assert newest == ("1d", "12-02T02:00Z", WithholdReason.TOO_LATE)
    assert {one[2] for one in older} == {WithholdReason.COLLAPSED}


def test_the_numbers_are_configuration() -> None:
    turn = POINTS[-1].instant - timedelta(hours=3)
    assert caught_up(turn, cadence=replace(CADENCE, too_close_in_hours=2.5))[-1][2] is None
    assert caught_up(turn, cadence=replace(CADENCE, too_close_in_hours=3))[-1][2] is WithholdReason.TOO_CLOSE_TO_NEXT
    at_noon = datetime(2025, 12, 1, 17, tzinfo=UTC)
    assert caught_up(at_noon, cadence=replace(CADENCE, too_late_in_hours=12))[-1][2] is WithholdReason.TOO_LATE
    assert caught_up(at_noon, cadence=replace(CADENCE, too_late_in_hours=11.9))[-1][2] is None


@given(minutes=st.integers(0, 60 * 24 * 40), zone=st.sampled_from([NEW_YORK, SHANGHAI, ZoneInfo("Pacific/Apia")]))
def test_at_most_one_goes_out_and_it_does_by_day(minutes: int, zone: ZoneInfo) -> None:
    turn = datetime(2025, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes)
    found = catch_up(POINTS, turn=turn, ends_at=ENDS_AT, zone=zone, cadence=CADENCE)
    assert [one.point for one in found] == [point for point in POINTS if point.instant < turn]
    assert all(one.withheld is WithholdReason.COLLAPSED for one in found[:-1])
    assert all(in_window(one.settles_at, zone, CADENCE) for one in found if one.withheld is None)
    assert all(one.settles_at >= turn for one in found)
