"""The calendar file of a prep session: it makes an entry, replaces the one that it made before, or takes it away.

Calendars recognise the entry by its UID and organizer and take the higher SEQUENCE (RFC 5545, RFC 5546). The file
names nobody but the office: it is the same for everyone who registered.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod
from enrollment_crm.mail.messages import Sender

_PRODUCT = "-//enrollment-crm//prep sessions//EN"


def calendar_file_of(session: PrepSession, *, method: CalendarMethod, sender: Sender, now: datetime) -> CalendarFile:
    """The file for the session as it stands; ``now`` becomes its DTSTAMP.

    Raises:
        ValueError: ``now`` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError("`now` has no zone: pass an aware datetime.")
    calendar = new_calendar(method)
    calendar.add_component(session_entry(session, method, sender, now))
    add_time_zones(calendar, [session.local_start.date()])
    return CalendarFile(method, calendar.to_ical().decode())


def new_calendar(method: CalendarMethod) -> Calendar:
    """A calendar without entries."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", _PRODUCT)
    calendar.add("method", method.value)
    return calendar


def uid_of(session: PrepSession, *, mail_domain: str) -> str:
    """What makes the entry the same one for ever, however often the session moves."""
    return f"prep-session-{session.id}@{mail_domain}"


def session_entry(session: PrepSession, method: CalendarMethod, sender: Sender, stamp: datetime) -> Event:
    """One session as it stands; ``stamp`` becomes its DTSTAMP."""
    organizer = vCalAddress(f"mailto:{sender.address}")
    organizer.params["CN"] = sender.name
    entry = Event()
    entry.add("uid", uid_of(session, mail_domain=sender.mail_domain))
    entry.add("sequence", session.sequence)
    entry.add("dtstamp", stamp.astimezone(UTC))
    entry.add("dtstart", session.local_start)
    entry.add("dtend", session.ends.astimezone(ZoneInfo(session.zone)))
    entry.add("summary", session.title)
    entry.add("location", session.location)
    entry.add("description", f"About this session: {session.url}")
    entry.add("url", session.url)
    entry.add("organizer", organizer)
    entry.add("status", "CANCELLED" if method is CalendarMethod.CANCEL else "CONFIRMED")
    return entry


def add_time_zones(calendar: Calendar, days: Sequence[date]) -> None:
    """A VTIMEZONE for each TZID, from the year before the first day to the year after the last."""
    if days:
        first, last = min(days), max(days)
        calendar.add_missing_timezones(
            first_date=date(first.year - 1, 1, 1), last_date=date(last.year + 1, 12, 31) + timedelta(days=1)
        )
