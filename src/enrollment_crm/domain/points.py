"""Points: the instants at which reminders of a deadline or a session fall due (R3, R10).

Points are never stored. They follow from a stated date, a zone and the cadence, so that a moved date leaves
nothing stale behind.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
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
    """When reminders go out. Configuration: the defaults are those of R3, R6 and R10.

    Raises:
        ValueError: with a sentence that says what cannot be.
    """

    offsets_in_days: tuple[int, ...] = (30, 14, 7, 1)
    #: Hour of the recipient's clock.
    hour: time = time(10, 0)
    anchor: Anchor = Anchor.STATED_DATE
    session_offsets_in_days: tuple[int, ...] = (7, 1)
    #: Seconds before a session's start for the last reminder.
    session_last_call_in_seconds: int = 3600
    #: Days before a session for the invitation of those who have not registered.
    invitation_offset_in_days: int = 7
    #: R6: a catch-up goes out between these hours of the recipient's clock; the first belongs to it, the last not.
    window_from: time = time(8, 0)
    window_to: time = time(21, 0)
    #: R6: a catch-up is dropped if the next point is this near, or nearer.
    too_close_in_hours: float = 48.0
    #: R6: a catch-up is dropped if this much, or less, would be left until the cut-off.
    too_late_in_hours: float = 2.0

    def __post_init__(self) -> None:
        if not self.offsets_in_days or min(self.offsets_in_days) < 1:
            raise ValueError("offsets_in_days: name at least one number of days, each 1 or more.")
        if any(one.tzinfo for one in (self.hour, self.window_from, self.window_to)):
            raise ValueError(
                "hour, window_from and window_to are hours of the recipient's clock: leave out the zone, and write "
                'them in quotes, as "10:00".'
            )
        if not self.window_from < self.window_to:
            raise ValueError("window_from must be earlier than window_to, on the same day.")
        if not self.window_from <= self.hour < self.window_to:
            raise ValueError(
                "hour must lie between window_from and window_to: what waits for the morning goes out then."
            )
        if min(self.too_close_in_hours, self.too_late_in_hours) < 0:
            raise ValueError("too_close_in_hours and too_late_in_hours cannot be negative.")


@dataclass(frozen=True)
class Point:
    """One reminder of one deadline or session: its offset (``7d``, ``1h``) and its instant (UTC)."""

    offset: str
    instant: datetime


def deadline_points(deadline: Deadline, zone: ZoneInfo, cadence: Cadence) -> tuple[Point, ...]:
    """R3: the reminders of a deadline for people who live by this zone, earliest first.

    Days are calendar days counted on the wall clock, so they hold across a change of the clocks (R4).
    """
    return _points(_last_day(deadline, zone, cadence), zone, cadence)


@lru_cache(maxsize=100_000)  # a school has few dates and many programs
def _points(last_day: date, zone: ZoneInfo, cadence: Cadence) -> tuple[Point, ...]:
    return tuple(
        Point(f"{days}d", instant_of(last_day - timedelta(days=days), cadence.hour, zone))
        for days in sorted(set(cadence.offsets_in_days), reverse=True)
    )


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
        for d in sorted(set(cadence.session_offsets_in_days), reverse=True)
    ]
    last_call = timedelta(seconds=cadence.session_last_call_in_seconds)
    # In UTC: between datetimes of one zone Python counts on the wall clock.
    return [*days, Point(_offset_in_words(last_call), starts.astimezone(UTC) - last_call)]


def invitation_point(starts: datetime, session_zone: ZoneInfo, zone: ZoneInfo, cadence: Cadence) -> Point:
    """R10: when people of ``zone`` are invited: days before the session's own date, at the hour of their clock."""
    day = starts.astimezone(session_zone).date() - timedelta(days=cadence.invitation_offset_in_days)
    return Point(f"{cadence.invitation_offset_in_days}d", instant_of(day, cadence.hour, zone))


def in_window(instant: datetime, zone: ZoneInfo, cadence: Cadence) -> bool:
    """R6: whether a catch-up may go out now, by the recipient's clock."""
    return cadence.window_from <= instant.astimezone(zone).time() < cadence.window_to


def next_hour_of_sending(instant: datetime, zone: ZoneInfo, cadence: Cadence) -> datetime:
    """The next time that the recipient's clock shows the cadence's hour (10:00), as an instant (UTC)."""
    day = instant.astimezone(zone).date()
    today = instant_of(day, cadence.hour, zone)
    return today if today > instant else instant_of(day + timedelta(days=1), cadence.hour, zone)


def _offset_in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
