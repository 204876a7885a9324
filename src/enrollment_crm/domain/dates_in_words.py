"""Dates as applicants read them: with weekday, on Boston's clock, and on the reader's where it differs."""

from datetime import datetime
from zoneinfo import ZoneInfo

from enrollment_crm.domain.zones import HOME_ZONE

#: What readers call the home zone.
_HOME_CITY = "Boston"


def in_boston(instant: datetime, *, now: datetime) -> str:
    """``Tuesday, December 1, 11:59 p.m. Boston``; the year is named where it is not the current one."""
    return f"{_in_zone(instant, ZoneInfo(HOME_ZONE), now)} {_HOME_CITY}"


def for_reader(instant: datetime, zone: str, *, now: datetime) -> str:
    """``Wednesday, December 2, 12:59 p.m. in Shanghai``; empty where the reader's clock shows Boston's hour."""
    theirs = instant.astimezone(ZoneInfo(zone))
    if theirs.utcoffset() == instant.astimezone(ZoneInfo(HOME_ZONE)).utcoffset():
        return ""
    return f"{_in_zone(instant, ZoneInfo(zone), now)} {_place(zone)}"


def days_left_in_words(days: int) -> str:
    """``today``, ``tomorrow`` or ``in 7 days``."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def _in_zone(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    local = instant.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f", {local.year}"
    return f"{local:%A}, {local:%B} {local.day}{year}, {_hour(local)}"


def _hour(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M} {'a.m.' if local.hour < 12 else 'p.m.'}"  # noqa: PLR2004


def _place(zone: str) -> str:
    """The city of an IANA name; zones that name no city are named as they are."""
    area, _, city = zone.rpartition("/")
    if not area or area == "Etc":
        return f"on the clock of {zone.replace('_', ' ')}"
    return f"in {city.replace('_', ' ')}"
