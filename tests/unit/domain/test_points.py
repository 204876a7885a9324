"""Points: when reminders of a deadline (R3, R4) and of a session (R10) fall due."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.points import (
    Anchor,
    Cadence,
    deadline_points,
    in_window,
    invitation_point,
    next_hour_of_sending,
    session_points,
)
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.turns import LONGEST_WAIT

CADENCE = Cadence()
BY_LOCAL_DATE = Cadence(anchor=Anchor.RECIPIENT_LOCAL)
#: Reminders at an hour of the night at which clocks change.
EARLY = Cadence(hour=time(1), window_from=time(1))
#: From -11 to +14, with half and quarter hours, and summer time of half an hour.
ZONES = (
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)


def deadline(day: str | date) -> Deadline:
    stated = date.fromisoformat(day) if isinstance(day, str) else day
    group = DeadlineGroup("ms-test", EntryTerm.parse("spring 2026"), Round.FINAL, Residency.DOMESTIC)
    return Deadline(group, stated)


def points(day: str, zone: str, cadence: Cadence = CADENCE) -> list[str]:
    return [f"{p.offset} {p.instant:%Y-%m-%dT%H:%MZ}" for p in deadline_points(deadline(day), ZoneInfo(zone), cadence)]


@pytest.mark.parametrize(
    ("stated", "zone", "instants"),
    [
        (
            "2025-11-01",  # the last day of summer time in New York
            "America/New_York",
            ["2025-10-02T14:00Z", "2025-10-18T14:00Z", "2025-10-25T14:00Z", "2025-10-31T14:00Z"],
        ),
        (
            "2025-12-01",  # T-30 is still EDT, the others are EST
            "America/New_York",
            ["2025-11-01T14:00Z", "2025-11-17T15:00Z", "2025-11-24T15:00Z", "2025-11-30T15:00Z"],
        ),
        (
            "2026-06-01",
            "America/New_York",
            ["2026-05-02T14:00Z", "2026-05-18T14:00Z", "2026-05-25T14:00Z", "2026-05-31T14:00Z"],
        ),
        (
            "2025-11-01",
            "Asia/Shanghai",
            ["2025-10-02T02:00Z", "2025-10-18T02:00Z", "2025-10-25T02:00Z", "2025-10-31T02:00Z"],
        ),
        (
            "2025-11-01",  # summer time ends on 26 October in London
            "Europe/London",
            ["2025-10-02T09:00Z", "2025-10-18T09:00Z", "2025-10-25T09:00Z", "2025-10-31T10:00Z"],
        ),
        (
            "2025-12-01",
            "Asia/Kolkata",
            ["2025-11-01T04:30Z", "2025-11-17T04:30Z", "2025-11-24T04:30Z", "2025-11-30T04:30Z"],
        ),
        (
            "2028-03-01",  # a leap year: T-1 is 29 February
            "America/New_York",
            ["2028-01-31T15:00Z", "2028-02-16T15:00Z", "2028-02-23T15:00Z", "2028-02-29T15:00Z"],
        ),
        (
            "2026-12-01",  # +13: the day begins there before it does elsewhere
            "Pacific/Apia",
            ["2026-10-31T21:00Z", "2026-11-16T21:00Z", "2026-11-23T21:00Z", "2026-11-29T21:00Z"],
        ),
        (
            "2026-04-06",  # summer time of half an hour ends on 5 April on Lord Howe
            "Australia/Lord_Howe",
            ["2026-03-06T23:00Z", "2026-03-22T23:00Z", "2026-03-29T23:00Z", "2026-04-04T23:30Z"],
        ),
    ],
)
def test_r3_ten_oclock_on_the_readers_clock_30_14_7_and_1_days_before(
    stated: str, zone: str, instants: list[str]
) -> None:
    expected = [f"{offset} {at}" for offset, at in zip(("30d", "14d", "7d", "1d"), instants, strict=True)]
    assert points(stated, zone) == expected


def test_r3_anchor_recipient_local_counts_from_the_date_that_the_cut_off_has_there() -> None:
    """The cut-off of 1 November is 2 November, noon, in Shanghai."""
    assert points("2025-11-01", "Asia/Shanghai", BY_LOCAL_DATE) == [
        "30d 2025-10-03T02:00Z",
        "14d 2025-10-19T02:00Z",
        "7d 2025-10-26T02:00Z",
        "1d 2025-11-01T02:00Z",
    ]


@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"])
def test_r3_west_of_new_york_both_anchors_are_the_same(zone: str) -> None:
    assert points("2025-12-01", zone, BY_LOCAL_DATE) == points("2025-12-01", zone)


def test_the_cadence_is_configuration() -> None:
    cadence = Cadence(offsets_in_days=(3, 60, 3), hour=time(18, 30))
    assert points("2026-12-01", "America/New_York", cadence) == ["60d 2026-10-02T22:30Z", "3d 2026-11-28T23:30Z"]


def test_r4_an_hour_that_the_clocks_skip_moves_forward() -> None:
    cadence = replace(EARLY, offsets_in_days=(1,), hour=time(2, 30))
    assert points("2026-03-09", "America/New_York", cadence) == ["1d 2026-03-08T07:30Z"]  # 03:30 EDT


def test_r4_an_hour_that_occurs_twice_is_the_first() -> None:
    cadence = replace(EARLY, offsets_in_days=(1,), hour=time(1, 30))
    assert points("2026-11-02", "America/New_York", cadence) == ["1d 2026-11-01T05:30Z"]  # EDT


days = st.dates(date(2025, 1, 1), date(2035, 12, 31))
zones = st.sampled_from(ZONES)


@given(day=days, zone=zones, anchor=st.sampled_from(Anchor))
def test_points_come_one_after_the_other_at_ten_on_the_readers_clock(day: date, zone: str, anchor: Anchor) -> None:
    found = deadline_points(deadline(day), ZoneInfo(zone), Cadence(anchor=anchor))
    instants = [one.instant for one in found]
    assert instants == sorted(set(instants))
    assert {one.astimezone(ZoneInfo(zone)).time() for one in instants} == {time(10)}


@given(day=days, zone=zones)
def test_no_point_is_after_the_cut_off_nor_less_than_a_night_before_it(day: date, zone: str) -> None:
    found = deadline_points(deadline(day), ZoneInfo(zone), CADENCE)
    left = deadline(day).ends_at() - found[-1].instant
    assert left >= timedelta(hours=30)


@given(day=days, zone=zones)
def test_points_by_local_date_are_ahead_of_the_cut_off_too(day: date, zone: str) -> None:
    found = deadline_points(deadline(day), ZoneInfo(zone), BY_LOCAL_DATE)
    assert found[-1].instant < deadline(day).ends_at()


@given(day=days, zone=zones)
def test_r3_days_are_counted_on_the_calendar(day: date, zone: str) -> None:
    found = deadline_points(deadline(day), ZoneInfo(zone), CADENCE)
    assert [(day - one.instant.astimezone(ZoneInfo(zone)).date()).days for one in found] == [30, 14, 7, 1]


def of_session(starts: str, zone: str, cadence: Cadence = CADENCE) -> list[str]:
    return [
        f"{one.offset} {one.instant:%Y-%m-%dT%H:%MZ}"
        for one in session_points(datetime.fromisoformat(starts), ZoneInfo(zone), cadence)
    ]


@pytest.mark.parametrize(
    ("starts", "zone", "expected"),
    [
        (
            "2025-11-07T10:00-05:00",  # 168 hours before would be 11:00 in New York
            "America/New_York",
            ["7d 2025-10-31T14:00Z", "1d 2025-11-06T15:00Z", "1h 2025-11-07T14:00Z"],
        ),
        (
            "2025-11-21T12:00-05:00",
            "America/New_York",
            ["7d 2025-11-14T17:00Z", "1d 2025-11-20T17:00Z", "1h 2025-11-21T16:00Z"],
        ),
        (
            "2026-11-01T01:30-04:00",  # the hour that occurs twice: exactly 3,600 s before its first occurrence
            "America/New_York",
            ["7d 2026-10-25T05:30Z", "1d 2026-10-31T05:30Z", "1h 2026-11-01T04:30Z"],
        ),
        (
            "2026-11-01T01:30-05:00",  # its second occurrence: the days before have only one such hour
            "America/New_York",
            ["7d 2026-10-25T05:30Z", "1d 2026-10-31T05:30Z", "1h 2026-11-01T05:30Z"],
        ),
        (
            "2026-03-15T02:30-04:00",  # seven days before, 02:30 does not exist: 03:30
            "America/New_York",
            ["7d 2026-03-08T07:30Z", "1d 2026-03-14T06:30Z", "1h 2026-03-15T05:30Z"],
        ),
    ],
)
def test_r10_a_week_and_a_day_before_on_the_sessions_wall_clock_and_an_hour_before(
    starts: str, zone: str, expected: list[str]
) -> None:
    assert of_session(starts, zone) == expected


def test_r10_the_last_call_is_named_by_its_length() -> None:
    assert of_session("2025-11-07T15:00Z", "UTC", Cadence(session_last_call_in_seconds=1800))[-1].startswith("30m ")
    assert of_session("2025-11-07T15:00Z", "UTC", Cadence(session_last_call_in_seconds=7200))[-1].startswith("2h ")


@given(
    starts=st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=zones,
)
def test_r10_the_last_call_is_3600_seconds_before_the_start_whatever_the_clocks_do(starts: datetime, zone: str) -> None:
    for same in (starts, starts.astimezone(ZoneInfo(zone))):
        assert starts - session_points(same, ZoneInfo(zone), CADENCE)[-1].instant == timedelta(seconds=3600)


@pytest.mark.parametrize(
    ("starts", "zone", "instant"),
    [
        ("2025-11-07T10:00-05:00", "America/New_York", "2025-10-31T14:00Z"),
        ("2025-11-07T10:00-05:00", "Asia/Shanghai", "2025-10-31T02:00Z"),
        # 20:00 in Boston is the next day in Shanghai: the session's own date counts.
        ("2025-11-07T20:00-05:00", "Asia/Shanghai", "2025-10-31T02:00Z"),
        ("2025-11-07T10:00-05:00", "Pacific/Kiritimati", "2025-10-30T20:00Z"),
    ],
)
def test_r10_an_invitation_is_a_week_before_the_sessions_date_at_ten_on_the_readers_clock(
    starts: str, zone: str, instant: str
) -> None:
    point = invitation_point(datetime.fromisoformat(starts), ZoneInfo("America/New_York"), ZoneInfo(zone), CADENCE)
    assert (point.offset, f"{point.instant:%Y-%m-%dT%H:%MZ}") == ("7d", instant)


@pytest.mark.parametrize(
    ("local", "within"),
    [
        ("07:59:59.999999", False),
        ("08:00:00", True),
        ("10:00:00", True),
        ("20:59:59.999999", True),
        ("21:00:00", False),
        ("00:00:00", False),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_r6_eight_oclock_belongs_to_the_window_and_twenty_one_oclock_does_not(
    local: str, zone: str, within: bool
) -> None:
    instant = datetime.combine(date(2026, 11, 18), time.fromisoformat(local), ZoneInfo(zone))
    assert in_window(instant.astimezone(UTC), ZoneInfo(zone), CADENCE) is within


@pytest.mark.parametrize(
    ("instant", "zone", "following"),
    [
        ("2025-11-18T04:30Z", "America/New_York", "2025-11-18T15:00Z"),  # 23:30 the evening before
        ("2025-11-18T12:00Z", "America/New_York", "2025-11-18T15:00Z"),  # 07:00 of the same day
        ("2025-11-18T15:00Z", "America/New_York", "2025-11-19T15:00Z"),  # ten itself: the next one
        ("2025-11-01T03:30Z", "America/New_York", "2025-11-01T14:00Z"),
        ("2025-11-02T03:30Z", "America/New_York", "2025-11-02T15:00Z"),  # the night in which the clocks go back
        ("2026-03-08T04:30Z", "America/New_York", "2026-03-08T14:00Z"),  # and the one in which they go forward
        ("2025-11-17T15:00Z", "Asia/Shanghai", "2025-11-18T02:00Z"),
    ],
)
def test_r6_what_waits_for_the_morning_goes_out_at_the_next_ten_oclock(instant: str, zone: str, following: str) -> None:
    found = next_hour_of_sending(datetime.fromisoformat(instant), ZoneInfo(zone), CADENCE)
    assert found == datetime.fromisoformat(following)


@given(day=days, hour=st.integers(0, 23), minute=st.integers(0, 59), zone=zones)
def test_r6_nothing_waits_longer_than_a_sweep_looks_back_for_it(day: date, hour: int, minute: int, zone: str) -> None:
    instant = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
    waits = next_hour_of_sending(instant, ZoneInfo(zone), CADENCE) - instant
    assert timedelta(0) < waits <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"offsets_in_days": ()}, "at least one number of days"),
        ({"offsets_in_days": (7, 0)}, "each 1 or more"),
        ({"window_from": time(21), "window_to": time(8)}, "earlier than window_to"),
        ({"hour": time(7, 59)}, "between window_from and window_to"),
        ({"hour": time(21)}, "between window_from and window_to"),
        ({"too_close_in_hours": -1}, "cannot be negative"),
        ({"too_late_in_hours": -0.5}, "cannot be negative"),
    ],
)
def test_a_cadence_that_cannot_be_says_why(entries: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Cadence(**entries)


def test_a_cadence_may_send_at_the_first_hour_of_its_window() -> None:
    assert Cadence(hour=time(8)).hour == time(8)
