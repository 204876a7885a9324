"""When a line of a mail log was written: RFC 3339, or the old form of syslog, which has neither year nor zone."""

import re
from datetime import datetime, timedelta

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_TRADITIONAL = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Clocks of two machines differ: a line may seem to come from a little ahead.
_AHEAD = timedelta(days=1)
#: The 29th of February comes back after eight years at most.
_YEARS_BACK = 9


def timestamp_of(prefix: bytes, latest: datetime) -> datetime | None:
    """The instant that a line begins with; None: it begins with none.

    A line without a year is of the last year that does not put it after ``latest``, and is on the clock of this
    machine, as syslog writes it.
    """
    text = prefix.decode("ascii", "replace").strip()
    if found := _RFC_3339.match(text):
        return datetime.fromisoformat(found[0])
    found = _TRADITIONAL.match(text)
    if found and found[1] in _MONTHS:
        day, hour, minute, second = map(int, found.groups()[1:])
        return _of_last_year_that_fits((_MONTHS.index(found[1]) + 1, day, hour, minute, second), latest)
    return None


def _of_last_year_that_fits(parts: tuple[int, int, int, int, int], latest: datetime) -> datetime | None:
    for year in range(latest.year + 1, latest.year - _YEARS_BACK, -1):
        try:
            moment = datetime(year, *parts).astimezone()
        except ValueError:
            continue
        if moment <= latest + _AHEAD:
            return moment
    return None
