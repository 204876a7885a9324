"""Points on every clock on earth, from 2025 to 2030: the hour as stated, in order, calendar days apart (R3, R4)."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.points import Anchor, Cadence, deadline_points
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm, Season
from enrollment_crm.domain.zones import known_zones

ZONES = sorted(known_zones())
YEARS = range(2025, 2031)
#: The dates of the program's page, and the days around which clocks change in most places.
PAGE = ((12, 1), (6, 1), (7, 1), (8, 1), (11, 1))
CHANGES = ((3, 9), (3, 30), (4, 6), (9, 28), (10, 5), (10, 26), (11, 2))
GROUP = DeadlineGroup("p", EntryTerm(2026, Season.FALL), Round.FINAL, Residency.DOMESTIC)


def check_points(stated: date, zone: ZoneInfo, cadence: Cadence) -> None:
    """The rule, said the other way round: from the instants back to the wall clock."""
    points = deadline_points(Deadline(GROUP, stated), zone, cadence)
    assert [point.offset for point in points] == ["30d", "14d", "7d", "1d"]
    assert all(earlier.instant < later.instant for earlier, later in pairwise(points))
    for point, days in zip(points, (30, 14, 7, 1), strict=True):
        local = point.instant.astimezone(zone)
        wanted = datetime.combine(stated - timedelta(days=days), cadence.hour)
        shown = local.replace(tzinfo=None)
        if shown != wanted:  # that hour does not exist on that day: it moves by the length of the gap
            before, after = (local + timedelta(hours=h) for h in (-26, 26))
            offsets = [one.astimezone(UTC).astimezone(zone).utcoffset() for one in (before, after)]
            assert shown - wanted == offsets[1] - offsets[0] > timedelta(0)  # type: ignore[operator]
        else:
            assert local.fold == 0, "of an hour that comes twice, the first"


@pytest.mark.parametrize(
    "year", [2026, *(pytest.param(year, marks=pytest.mark.slow) for year in YEARS if year != 2026)]
)
def test_at_ten_in_every_zone(year: int) -> None:
    assert len(ZONES) > 400
    for name in ZONES:
        for month, day in (*PAGE, *CHANGES):
            check_points(date(year, month, day), ZoneInfo(name), Cadence())


@settings(max_examples=1500, derandomize=True, deadline=None, database=None)
@given(
    zone=st.sampled_from(ZONES),
    stated=st.dates(date(2025, 1, 1), date(2030, 12, 31)),
    minutes=st.integers(0, 24 * 60 - 1),
)
def test_at_any_hour_on_any_day_also_one_that_does_not_exist(zone: str, stated: date, minutes: int) -> None:
    hour = time(*divmod(minutes, 60))
    check_points(stated, ZoneInfo(zone), Cadence(hour=hour, window_from=time(0), window_to=time.max))


@pytest.mark.parametrize(
    ("zone", "stated", "hour"),
    [
        ("America/New_York", date(2026, 3, 9), time(2, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 5), time(2, 15)),
        ("Europe/London", date(2027, 3, 29), time(1, 0)),
    ],
)
def test_a_day_before_in_the_gap(zone: str, stated: date, hour: time) -> None:
    cadence = Cadence(hour=hour, window_from=time(0))
    one_day = deadline_points(Deadline(GROUP, stated), ZoneInfo(zone), cadence)[-1]
    assert one_day.instant.astimezone(ZoneInfo(zone)).time() > hour
    check_points(stated, ZoneInfo(zone), cadence)


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(zone=st.sampled_from(ZONES), stated=st.dates(date(2025, 1, 1), date(2030, 12, 31)))
def test_by_the_recipients_own_date_every_point_is_before_the_cut_off(zone: str, stated: date) -> None:
    deadline = Deadline(GROUP, stated)
    points = deadline_points(deadline, ZoneInfo(zone), Cadence(anchor=Anchor.RECIPIENT_LOCAL))
    last_day = (deadline.ends_at() - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()
    days = [(last_day - point.instant.astimezone(ZoneInfo(zone)).date()).days for point in points]
    assert days == [30, 14, 7, 1]
    assert all(point.instant < deadline.ends_at() for point in points)
