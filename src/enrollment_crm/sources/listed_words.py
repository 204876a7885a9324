"""Words, dates and hours as American pages write them: ``December 1``, ``Nov 07``, ``10:00am``."""

import re
from datetime import time

from enrollment_crm.domain.listings import MONTHS, ListingError

#: What is in a text without being seen: zero-width spaces, soft hyphens, marks of direction.
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"))
_SHORT = tuple(name[:3].lower() for name in MONTHS)
#: A name of a month, whole or shortened.
MONTH = "|".join([*MONTHS, "sept", *_SHORT])
DATE = rf"(?P<month>{MONTH})\.? (?P<day>\d{{1,2}})(?: ?(?:st|nd|rd|th))?(?:(?: ?, ?| )(?P<year>\d{{4}}))?"
_DATE = re.compile(DATE, re.IGNORECASE)
HOUR = r"\d{1,2}(?::\d\d)? ?[ap]\.?m\.?"
_HOUR = re.compile(r"(\d{1,2})(?::(\d\d))? ?([ap])\.?m\.?", re.IGNORECASE)
_HOURS_ON_A_DIAL = 12
_MINUTES_IN_AN_HOUR = 60


def in_one_line(text: str) -> str:
    """What is read there: every sort of space is one space, and what is not seen is not there."""
    return " ".join(text.translate(_UNSEEN).split())


def read_date(text: str) -> tuple[int, int, int | None]:
    """Month, day, and the year where one is named.

    Raises:
        ListingError: the text is not a date in English, or has words besides.
    """
    found = _DATE.fullmatch(text)
    if not found:
        raise ListingError(f"{text[:80]!r} is not a date such as 'December 1'")
    return date_in(found)


def date_in(found: re.Match[str]) -> tuple[int, int, int | None]:
    """Month, day and year of a match of ``DATE``."""
    year = found["year"]
    return _SHORT.index(found["month"][:3].lower()) + 1, int(found["day"]), int(year) if year else None


def read_hour(text: str) -> time:
    """The wall clock that ``10:00am`` names; 12am is midnight, 12pm is noon.

    Raises:
        ListingError: it is no hour of a dial.
    """
    found = _HOUR.fullmatch(text)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    if not found or not 1 <= hour <= _HOURS_ON_A_DIAL or minute >= _MINUTES_IN_AN_HOUR:
        raise ListingError(f"{text[:20]!r} is not an hour such as '10:00am'")
    return time(hour % _HOURS_ON_A_DIAL + (_HOURS_ON_A_DIAL if found[3].lower() == "p" else 0), minute)
