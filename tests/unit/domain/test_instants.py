"""Wall clocks and instants (R4): gaps, folds, and zones with unusual offsets."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.instants import NaiveDatetimeError, check_aware, instant_of

#: Zones whose clocks do what few do: half and quarter hours, +13 and +14, half an hour of summer time, no summer time.
UNUSUAL_ZONES = (
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "America/St_Johns",
    "America/New_York",
    "Europe/Berlin",
    "Pacific/Pago_Pago",
)


def instant(day: str, clock: str, zone: str) -> str:
    return instant_of(date.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("day", "clock", "zone", "expected"),
    [
        ("2026-11-24", "10:00", "America/New_York", "2026-11-24T15:00:00+00:00"),
        ("2026-07-24", "10:00", "America/New_York", "2026-07-24T14:00:00+00:00"),
        ("2026-11-24", "10:00", "Asia/Kolkata", "2026-11-24T04:30:00+00:00"),
        ("2026-11-24", "10:00", "Asia/Kathmandu", "2026-11-24T04:15:00+00:00"),
        ("2026-11-24", "10:00", "Pacific/Apia", "2026-11-23T21:00:00+00:00"),
        ("2026-11-24", "10:00", "Pacific/Auckland", "2026-11-23T21:00:00+00:00"),
        ("2026-06-24", "10:00", "Pacific/Auckland", "2026-06-23T22:00:00+00:00"),
        ("2026-11-24", "10:00", "Pacific/Pago_Pago", "2026-11-24T21:00:00+00:00"),
        ("2028-02-29", "10:00", "Europe/Berlin", "2028-02-29T09:00:00+00:00"),
    ],
)
def test_the_instant_at_which_clocks_of_the_zone_show_the_hour(day: str, clock: str, zone: str, expected: str) -> None:
    assert instant(day, clock, zone) == expected


@pytest.mark.parametrize(
    ("zone", "day", "clock", "shown_afterwards"),
    [
        ("America/New_York", "2026-03-08", "02:30", "03:30"),
        ("Europe/Berlin", "2026-03-29", "02:00", "03:00"),
        ("Europe/London", "2026-03-29", "01:59", "02:59"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "02:45"),  # the gap is half an hour
        ("Africa/Cairo", "2026-04-24", "00:00", "01:00"),  # the gap is at midnight
    ],
)
def test_a_local_time_that_does_not_exist_moves_forward_by_the_length_of_the_gap(
    zone: str, day: str, clock: str, shown_afterwards: str
) -> None:
    found = instant_of(date.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(zone))
    assert f"{found.astimezone(ZoneInfo(zone)):%H:%M}" == shown_afterwards


def test_the_day_that_apia_left_out_moves_a_whole_day() -> None:
    """Samoa crossed the date line: 30 December 2011 does not exist there."""
    found = instant_of(date(2011, 12, 30), time(10), ZoneInfo("Pacific/Apia"))
    assert found.astimezone(ZoneInfo("Pacific/Apia")).isoformat() == "2011-12-31T10:00:00+14:00"


@pytest.mark.parametrize(
    ("zone", "day", "clock", "first"),
    [
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00+00:00"),  # EDT; EST would be 06:30
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00+00:00"),
    ],
)
def test_a_local_time_that_occurs_twice_is_the_first(zone: str, day: str, clock: str, first: str) -> None:
    assert instant(day, clock, zone) == first


def test_the_fold_of_the_argument_makes_no_difference() -> None:
    second = time(1, 30, fold=1)
    assert instant_of(date(2026, 11, 1), second, ZoneInfo("America/New_York")) == datetime(
        2026, 11, 1, 5, 30, tzinfo=UTC
    )


@given(day=st.dates(date(2025, 1, 1), date(2032, 12, 31)), zone=st.sampled_from(UNUSUAL_ZONES))
def test_ten_in_the_morning_is_in_no_gap_of_these_zones(day: date, zone: str) -> None:
    local = instant_of(day, time(10), ZoneInfo(zone)).astimezone(ZoneInfo(zone))
    assert (local.date(), local.time()) == (day, time(10))


@given(
    day=st.dates(date(2025, 1, 1), date(2032, 12, 31)),
    clock=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    zone=st.sampled_from(UNUSUAL_ZONES),
)
def test_a_clock_shows_the_hour_or_one_that_is_later_by_a_gap(day: date, clock: time, zone: str) -> None:
    local = instant_of(day, clock, ZoneInfo(zone)).astimezone(ZoneInfo(zone))
    moved = local.replace(tzinfo=None) - datetime.combine(day, clock)
    assert moved in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


def test_a_naive_datetime_raises_and_says_what_to_do() -> None:
    with pytest.raises(NaiveDatetimeError, match=r"2026-11-24T10:00:00 has no time zone.*Give it a zone"):
        check_aware(datetime(2026, 11, 24, 10))  # noqa: DTZ001


def test_an_aware_datetime_comes_back_unchanged() -> None:
    moment = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert check_aware(moment) is moment
