"""Prep sessions as readers are told of them: when, where, how long, and how soon."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.dates_in_words import days_left_in_words, for_reader, in_boston
from enrollment_crm.domain.prep_sessions import PrepSession

#: Closer than this, a session's start is told in hours: "tomorrow" would be wrong half an hour before midnight.
_HALF_A_DAY = timedelta(hours=12)


def session_in_words(session: PrepSession, zone: str, *, now: datetime) -> dict[str, str | int]:
    """What an email about one session may print, for a reader in this IANA zone."""
    return {
        "session_title": session.title,
        "session_in_boston": in_boston(session.starts, now=now),
        "session_for_reader": for_reader(session.starts, zone, now=now),
        "session_minutes": session.minutes,
        "session_location": session.location,
        "session_url": session.url,
        "starts_in_words": starts_in_words(session, now=now),
    }


def session_in_list(session: PrepSession, zone: str, *, now: datetime) -> dict[str, str | int]:
    """One record of the sessions that an email lists, for a reader in this IANA zone."""
    return {
        "title": session.title,
        "in_boston": in_boston(session.starts, now=now),
        "for_reader": for_reader(session.starts, zone, now=now),
        "url": session.url,
    }


def starts_in_words(session: PrepSession, *, now: datetime) -> str:
    """``in 7 days``, ``tomorrow``, ``in 1 hour``; days are counted on the session's own calendar."""
    zone = ZoneInfo(session.zone)
    left = session.starts - now
    if left > _HALF_A_DAY:
        days = (session.starts.astimezone(zone).date() - now.astimezone(zone).date()).days
        return days_left_in_words(days)
    minutes = round(left.total_seconds() / 60)
    if minutes < 55:  # noqa: PLR2004 - sent late: an hour would be wrong
        return "in 1 minute" if minutes <= 1 else f"in {minutes} minutes"
    hours = round(minutes / 60)
    return "in 1 hour" if hours == 1 else f"in {hours} hours"
