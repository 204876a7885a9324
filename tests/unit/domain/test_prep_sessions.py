"""Prep sessions on their own clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from enrollment_crm.domain.prep_sessions import PrepSession


def session(starts: datetime, *, zone: str, minutes: int = 60) -> PrepSession:
    return PrepSession(
        "prep-1", "Prep Session", starts, zone, minutes, location="Online", url="https://crm.example/prep-1"
    )


@pytest.mark.parametrize("zone_of_the_datetime", ["UTC", "America/New_York"])
def test_ends_after_its_minutes_also_when_the_clocks_change_meanwhile(zone_of_the_datetime: str) -> None:
    """Databases hand out datetimes in a zone of their own, and Python counts on the wall clock within one."""
    starts = datetime(2026, 11, 1, 5, 30, tzinfo=UTC).astimezone(ZoneInfo(zone_of_the_datetime))
    assert session(starts, zone="America/New_York", minutes=90).ends == datetime(2026, 11, 1, 7, tzinfo=UTC)


def test_starts_on_the_wall_clock_of_its_zone() -> None:
    one = session(datetime(2025, 11, 7, 15, tzinfo=UTC), zone="America/New_York")
    assert one.local_start.isoformat() == "2025-11-07T10:00:00-05:00"
