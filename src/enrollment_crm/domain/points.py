"""Points: the instants at which reminders of a deadline or a session fall due (R3, R10).

Points are never stored. They follow from a stated date, a zone and the cadence, so that a moved date leaves
nothing stale behind.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.instants import instant_of


class Anchor(StrEnum):
    """The date from which days are counted back."""

    #: The date as the page states it.
    STATED_DATE = "stated_date"
    #: The date that the cut-off instant has in the recipient's zone.
    RECIPIENT_LOCAL = "recipient_local"


@dataclass(frozen=True)
class Cadence:
    """When reminders go out. Configuration: the defaults are R3's and R10's."""

    offsets_in_days: tuple[int, ...] = (30, 14, 7, 1)
    #: Hour of the recipient's clock.
    hour: time = time(10, 0)
    anchor: Anchor = Anchor.STATED_DATE
    session_offsets_in_days: tuple[int, ...] = (7, 1)
    #: Seconds before a session's start for the last reminder.
    session_last_call_in_seconds: int = 3600


@dataclass(frozen=True)
class Point:
    """One reminder of one deadline or session: its offset (``7d``, ``1h``) and its instant (UTC)."""

    offset: str
    instant: datetime


def deadline_points(deadline: Deadline, zone: ZoneInfo, cadence: Cadence) -> list[Point]:
    """R3: the reminders of a deadline for people who live by this zone, earliest first.

    Days are calendar days counted on the wall clock, so they hold across a change of the clocks (R4).
    """
    last_day = _last_day(deadline, zone, cadence)
    return [
        Point(f"{days}d", instant_of(last_day - timedelta(days=days), cadence.hour, zone))
        for days in sorted(set(cadence.offsets_in_days), reverse=True)
    ]


def _last_day(deadline: Deadline, zone: ZoneInfo, cadence: Cadence) -> date:
    if cadence.anchor is Anchor.STATED_DATE:
        return deadline.stated_date
    last_second = deadline.ends_at() - timedelta(seconds=1)
    return last_second.astimezone(zone).date()


def session_points(starts: datetime, zone: ZoneInfo, cadence: Cadence) -> list[Point]:
    """R10: the reminders of a session that starts at this instant, on the wall clock of the session's own zone."""
    local = starts.astimezone(zone)
    days = [
        Point(f"{d}d", instant_of(local.date() - timedelta(days=d), local.time(), zone))
        for d in sorted(cadence.session_offsets_in_days, reverse=True)
    ]
    last_call = timedelta(seconds=cadence.session_last_call_in_seconds)
    # In UTC: between datetimes of one zone Python counts on the wall clock.
    return [*days, Point(_offset_in_words(last_call), starts.astimezone(UTC) - last_call)]


def _offset_in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
