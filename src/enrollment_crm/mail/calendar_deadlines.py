"""Deadlines as entries of a calendar: the last hour before the cut-off, so that every clock shows its own."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Alarm, Event

from enrollment_crm.domain.calendar_feeds import CalendarDeadline
from enrollment_crm.domain.dates_in_words import in_boston
from enrollment_crm.domain.deadlines import Round
from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod
from enrollment_crm.mail.calendar_files import add_time_zones, new_calendar
from enrollment_crm.mail.messages import Sender

_ROUND_NAMES = {Round.EARLY_ACTION: "early action deadline", Round.FINAL: "final deadline"}
_SHOWN = timedelta(minutes=59)
#: SEQUENCE of a mailed entry counts minutes from here: whatever is mailed later replaces what was mailed before, also
#: where another date becomes the reader's because their residency does.
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


# The file names nobody: it is the same for all people of a cell, and costs a hundred times what the message does.
@lru_cache(maxsize=64)
def deadline_file(deadlines: tuple[CalendarDeadline, ...], *, sender: Sender, now: datetime) -> CalendarFile:
    """The file that a message about deadlines carries; each later one replaces its entries.

    Raises:
        ValueError: ``now`` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError("`now` has no zone: pass an aware datetime.")
    calendar = new_calendar(CalendarMethod.PUBLISH)
    for one in deadlines:
        minutes = int((now - _EPOCH).total_seconds() // 60)
        calendar.add_component(deadline_entry(one, sender=sender, sequence=minutes, stamp=now))
    add_time_zones(calendar, [one.deadline.stated_date for one in deadlines])
    return CalendarFile(CalendarMethod.PUBLISH, calendar.to_ical().decode())


def deadline_entry(one: CalendarDeadline, *, sender: Sender, sequence: int, stamp: datetime) -> Event:
    """One deadline. It keeps its UID when its date changes, and takes no time from the reader's day."""
    group, zone = one.deadline.group, ZoneInfo(one.deadline.cut_off_zone)
    last_minute = (one.deadline.ends_at() - timedelta(minutes=1)).astimezone(zone)
    name = f"{_ROUND_NAMES[group.round]}, {group.entry_term}"
    entry = Event()
    what = f"{group.program}-{group.entry_term}-{group.round.value}".replace(" ", "-")
    entry.add("uid", f"deadline-{what}@{sender.mail_domain}")
    entry.add("sequence", sequence)
    entry.add("dtstamp", stamp.astimezone(UTC))
    entry.add("dtstart", last_minute - _SHOWN)
    entry.add("dtend", last_minute)
    entry.add("summary", f"{name.capitalize()}: {one.program_name}")
    entry.add("description", f"Apply by {in_boston(last_minute, now=stamp)}: {one.apply_url}")
    entry.add("url", one.apply_url)
    entry.add("transp", "TRANSPARENT")
    entry.add("status", "CONFIRMED")
    entry.add_component(_a_day_before(name))
    return entry


def _a_day_before(name: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", name.capitalize())
    alarm.add("trigger", timedelta(days=-1))
    return alarm
