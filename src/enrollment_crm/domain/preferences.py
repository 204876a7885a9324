"""Preferences: what a reader wants to be written to about, and from when on."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.instants import check_aware, instant_of
from enrollment_crm.domain.topics import Topic

#: A pause that lasts longer is a way out, and is better called so.
LONGEST_PAUSE = timedelta(days=366)


class PauseInvalid(ValueError):
    """The end of a pause lies in the past or too far ahead; the sentence is for the reader."""


@dataclass(frozen=True)
class Preferences:
    """What a reader has chosen."""

    topics: frozenset[Topic]
    #: The first day, on the reader's calendar, on which messages come again; None: they come.
    paused_until: date | None


def end_of_pause(day: date | None, zone: str, *, now: datetime) -> datetime | None:
    """The instant (UTC) at which a pause until this day ends: its midnight on the clock of the reader's zone.

    Raises:
        PauseInvalid: the day is not ahead, or more than a year ahead.
    """
    if day is None:
        return None
    today = check_aware(now).astimezone(ZoneInfo(zone)).date()
    if day <= today:
        raise PauseInvalid("Choose a day after today, or leave the field empty.")
    if day - today > LONGEST_PAUSE:
        raise PauseInvalid("A pause lasts a year at most. To stop for good, take away all check marks.")
    return instant_of(day, time(0), ZoneInfo(zone))


def first_day_after(pause_ends: datetime | None, zone: str, *, now: datetime) -> date | None:
    """The day until which a pause lasts, as the reader chose it; None: there is none, or it is over."""
    if pause_ends is None or pause_ends <= now:
        return None
    return pause_ends.astimezone(ZoneInfo(zone)).date()
