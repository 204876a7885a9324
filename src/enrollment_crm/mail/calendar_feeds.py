"""The calendar that a reader subscribes to: their deadlines and sessions, moved and cancelled by themselves."""

from collections.abc import Sequence
from datetime import UTC, datetime

from enrollment_crm.domain.calendar_feeds import CalendarDeadline
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.mail.bodies import CalendarMethod
from enrollment_crm.mail.calendar_deadlines import deadline_entry
from enrollment_crm.mail.calendar_files import add_time_zones, new_calendar, session_entry
from enrollment_crm.mail.messages import Sender

#: How often calendars look again, if they ask us (RFC 7986, and the older name that most of them know).
_REFRESH = "PT4H"
#: Of a session from before it was kept when it changed.
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def calendar_feed(deadlines: Sequence[CalendarDeadline], sessions: Sequence[PrepSession], *, sender: Sender) -> str:
    """The feed. It names nobody, and is the same to the byte as long as no date changes."""
    calendar = new_calendar(CalendarMethod.PUBLISH)
    calendar.add("x-wr-calname", f"{sender.name}: deadlines and sessions")
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"}, encode=False)
    calendar.add("x-published-ttl", _REFRESH)
    for one in deadlines:
        entry = deadline_entry(one, sender=sender, sequence=one.deadline.version, stamp=one.in_force_from)
        calendar.add_component(entry)
    for session in sessions:
        method = CalendarMethod.CANCEL if session.cancelled_at else CalendarMethod.PUBLISH
        stamp = session.cancelled_at or session.changed_at or _LONG_AGO
        calendar.add_component(session_entry(session, method, sender, stamp))
    days = [one.deadline.stated_date for one in deadlines] + [one.local_start.date() for one in sessions]
    add_time_zones(calendar, days)
    text: str = calendar.to_ical().decode()
    return text
