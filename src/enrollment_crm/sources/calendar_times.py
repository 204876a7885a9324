"""Times of a calendar feed: a wall clock and whose it is (R11)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from enrollment_crm.domain.instants import instant_of
from enrollment_crm.domain.listings import LONGEST_SESSION, ListingError
from enrollment_crm.domain.zones import HOME_ZONE, known_zones, label_warning, labelled_zone

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT"})


@dataclass(frozen=True)
class CalendarTime:
    """A wall clock (without a zone), the zone it is read in, and the IANA zone on whose clock it is announced."""

    wall_clock: datetime
    zone: tzinfo
    announced_in: str
    warning: str | None = None

    @property
    def instant(self) -> datetime:
        """The instant (UTC) that is meant."""
        return instant_of(self.wall_clock.date(), self.wall_clock.time(), self.zone)

    def moved_to(self, wall_clock: datetime) -> "CalendarTime":
        """Another occurrence, in the same zone."""
        return CalendarTime(wall_clock, self.zone, self.announced_in, self.warning)


def announcing_zone(named: str) -> str:
    """The zone on whose clock a calendar's times in UTC are announced: its own one where it names one, else home."""
    return named if named in known_zones() - _UTC_NAMES else HOME_ZONE


def read_time(stated: Any, *, calendar_zone: str) -> CalendarTime:
    """What DTSTART, DTEND or RECURRENCE-ID says.

    A time without a zone is New York's wall clock; EST and EDT are too, whatever the feed calls by these names (R11).

    Args:
        stated: the property as icalendar read it; a date without an hour is no time.
        calendar_zone: where times in UTC are announced.

    Raises:
        ListingError: the zone is unknown, or the feed does not say which it means.
    """
    value: datetime = stated.dt
    label = str(stated.params.get("TZID", ""))
    wall_clock = value.replace(tzinfo=None, fold=0)
    if label and label not in _UTC_NAMES:
        return _labelled(wall_clock, label, value.tzinfo, calendar_zone)
    if value.tzinfo is None and not label:
        return CalendarTime(wall_clock, ZoneInfo(HOME_ZONE), HOME_ZONE)
    return CalendarTime(wall_clock, UTC, calendar_zone)


def _labelled(wall_clock: datetime, label: str, as_defined: tzinfo | None, calendar_zone: str) -> CalendarTime:
    try:
        zone = labelled_zone(label)
    except ValueError as error:
        return _defined_elsewhere(wall_clock, label, as_defined, calendar_zone, error)
    read = CalendarTime(wall_clock, zone, zone.key)
    return CalendarTime(wall_clock, zone, zone.key, label_warning(label, read.instant))


def _defined_elsewhere(
    wall_clock: datetime, label: str, as_defined: tzinfo | None, calendar_zone: str, error: ValueError
) -> CalendarTime:
    """A zone by its name in Windows, or one that the feed itself defines: the instant is certain, the name is not."""
    if as_defined is None:
        raise ListingError(str(error)) from error
    if isinstance(as_defined, ZoneInfo) and as_defined.key in known_zones():
        return CalendarTime(wall_clock, as_defined, as_defined.key)
    warning = f"the zone {label[:64]!r} is known to the feed only: announced on the clock of {calendar_zone}"
    return CalendarTime(wall_clock, as_defined, calendar_zone, warning)


def length_in_minutes(starts: CalendarTime, event: Any, *, calendar_zone: str) -> int:
    """How long an event lasts, by DTEND or DURATION.

    Raises:
        ListingError: it names neither, or an end that is a day, or one at or before its start, or long after it.
    """
    length = timedelta(0)
    if "DTEND" in event and isinstance(event["DTEND"].dt, datetime):
        length = read_time(event["DTEND"], calendar_zone=calendar_zone).instant - starts.instant
    elif "DURATION" in event:
        length = event["DURATION"].dt
    if length > LONGEST_SESSION:
        raise ListingError(
            f"it lasts longer than {LONGEST_SESSION.total_seconds() / 3600:.0f} hours (DTEND or DURATION)"
        )
    minutes = int(length.total_seconds()) // 60
    if minutes < 1:
        raise ListingError("it names no end after its start (DTEND or DURATION)")
    return minutes


def is_time(stated: Any) -> bool:
    """Whether a property names an hour, and not a whole day."""
    return isinstance(stated.dt, datetime)


def day_of(stated: Any) -> date:
    """The day of a property, in whatever zone it is stated."""
    value: date = stated.dt
    return value.date() if isinstance(value, datetime) else value
