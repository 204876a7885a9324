"""Repeated events of a calendar feed: the occurrences that a rule gives, on the wall clock of the event."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from dateutil.rrule import rrulestr
from icalendar import vRecur

from enrollment_crm.domain.instants import instant_of

#: How far ahead occurrences are looked for, in days; what lies further ahead comes into view later.
HORIZON_IN_DAYS = 300
#: A prep session does not repeat within a day, and a rule that did would give millions of occurrences.
_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")


class RecurrenceNotFollowed(ValueError):
    """The event repeats in a way that is not followed here; its sessions are for a person to list."""


def occurrences(rule: vRecur, first: datetime, zone: tzinfo, *, from_day: date) -> list[datetime]:
    """The starts that the rule gives from that day on, for ``HORIZON_IN_DAYS``.

    Args:
        rule: the value of RRULE.
        first: wall clock of the first start, without a zone.
        zone: whose wall clock that is; ``UNTIL`` is an instant and is compared by it.
        from_day: no earlier day is wanted.

    Returns:
        Wall clocks without a zone: the hour stays when the clocks of the zone change.

    Raises:
        RecurrenceNotFollowed: the rule repeats within a day, or is none.
    """
    parts = dict(rule)
    frequency = str(next(iter(parts.get("FREQ", [])), ""))
    if frequency not in _FREQUENCIES or any(part in parts for part in _WITHIN_A_DAY):
        raise RecurrenceNotFollowed(f"it repeats {frequency.lower() or 'without a frequency'}, within a day or so")
    if any(int(interval) < 1 for interval in parts.get("INTERVAL", [])):
        # Asked for the next occurrence, the library would look for it without end.
        raise RecurrenceNotFollowed("it repeats after no time at all (INTERVAL)")
    limits = parts.pop("UNTIL", [])
    since = datetime.combine(from_day, datetime.min.time())
    try:
        rules = rrulestr(_as_text(parts), dtstart=first)
        starts = rules.between(since, since + timedelta(days=HORIZON_IN_DAYS), inc=True)
    except (ValueError, TypeError, OverflowError) as error:
        raise RecurrenceNotFollowed("its RRULE is not understood") from error
    return [start for start in starts if _is_within(start, zone, limits)]


def _as_text(parts: dict[str, Any]) -> str:
    text: bytes = vRecur(parts).to_ical()  # type: ignore[no-untyped-call]  # icalendar has no types there
    return text.decode()


def _is_within(start: datetime, zone: tzinfo, limits: Iterable[date]) -> bool:
    return all(_is_before(start, zone, limit) for limit in limits)


def _is_before(start: datetime, zone: tzinfo, limit: date) -> bool:
    """Whether the start is at or before ``UNTIL``, which is a day, a wall clock or an instant."""
    if not isinstance(limit, datetime):
        return start.date() <= limit
    if limit.tzinfo is None:
        return start <= limit
    return instant_of(start.date(), start.time(), zone) <= limit
