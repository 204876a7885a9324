"""The zone whose clocks a person lives by (R4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

#: Where the university is: deadlines are stated on this clock (R1), and it is the last resort of R4.
HOME_ZONE = "America/New_York"

#: What an events page writes for the wall clock of New York, in summer and in winter (R11).
_HOME_LABELS = ("EST", "EDT", "ET")


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """The zone chosen for a person, where it came from, and a data-quality warning where one is due."""

    zone: str
    basis: str
    warning: str | None = None


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Every IANA name that this machine knows; listing them walks a folder, so it is done once."""
    return frozenset(available_timezones())


def choose_zone(stated: str | None, country: str | None, *, country_zones: Mapping[str, str]) -> ZoneChoice:
    """R4: the person's own IANA zone; else the one or primary zone of their country; else New York.

    Args:
        stated: the zone that the person's browser or the source names.
        country: ISO 3166 alpha-2 code.
        country_zones: the one zone of each country, or its CLDR primary zone (``config/country-zones.yml``).
    """
    if stated and stated in known_zones():
        return ZoneChoice(stated, "stated")
    warning = f"unknown time zone {stated[:64]!r}" if stated else None
    by_country = country_zones.get((country or "").upper())
    if by_country:
        return ZoneChoice(by_country, "country", warning)
    return ZoneChoice(HOME_ZONE, "default", warning)


def labelled_zone(label: str) -> ZoneInfo:
    """The zone that a label of an events page means (R11).

    Raises:
        ValueError: the label is neither one of New York's nor an IANA name.
    """
    if label.upper() in _HOME_LABELS:
        return ZoneInfo(HOME_ZONE)
    if label not in known_zones():
        raise ValueError(
            f"{label!r} is not a time zone: write an IANA name such as 'America/New_York', or EST, EDT, ET."
        )
    return ZoneInfo(label)


def label_warning(label: str, starts: datetime) -> str | None:
    """R11: what is to be said of a label that names the other half of the year; None where it fits or names none.

    Args:
        label: as written, such as ``EST``; only EST and EDT can disagree with a date.
        starts: the instant that was read by the label.
    """
    on_the_clock = starts.astimezone(ZoneInfo(HOME_ZONE)).tzname()
    if label.upper() not in {"EST", "EDT"} or label.upper() == on_the_clock:
        return None
    return f"the label {label} disagrees with the date: New York has {on_the_clock} then; its wall clock was taken"
