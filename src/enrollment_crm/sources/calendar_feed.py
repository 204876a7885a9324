"""Calendar feeds (iCalendar, RFC 5545): prep sessions with their UID, zone, repetitions and cancellations."""

import re
from datetime import datetime

from icalendar import Calendar, Event, vText

from enrollment_crm.domain.listings import Listings, home_day
from enrollment_crm.sources.calendar_events import EventSeries, words_of
from enrollment_crm.sources.calendar_times import announcing_zone
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.web_documents import WebDocument, fetch_document, place

_KINDS = ("text/calendar", "text/plain", "application/ics", "application/octet-stream")


def fetch_calendar(url: str, *, title: re.Pattern[str], now: datetime, timeout_in_seconds: float) -> Listings:
    """The prep sessions of the feed at this address: see ``read_calendar``.

    Raises:
        FeedError: it cannot be fetched, or is no calendar.
    """
    document = fetch_document(url, kinds=_KINDS, timeout_in_seconds=timeout_in_seconds)
    return read_calendar(document, title=title, now=now)


def read_calendar(document: WebDocument, *, title: re.Pattern[str], now: datetime) -> Listings:
    """The prep sessions of a calendar from today on, with those that it cancels; other events are not looked at.

    The id is the UID; an occurrence of a repeated event has the UID and its original start. A start in UTC is
    announced on the calendar's own zone, else on New York's; one without a zone is New York's wall clock. An event
    that is not understood is held back.

    Args:
        document: the feed as it was fetched.
        title: what is found in the summaries of prep sessions and of no other events.
        now: when it was read.

    Raises:
        FeedUnreadableError: it is no calendar, or breaks off.
    """
    calendar = _calendar(document)
    if str(calendar.get("METHOD", "")).upper() == "CANCEL":
        for event in calendar.walk("VEVENT"):
            event["STATUS"] = vText("CANCELLED")  # the whole message cancels, whatever its events say (RFC 5546)
    zone = announcing_zone(str(calendar.get("X-WR-TIMEZONE", "")))
    listings = Listings()
    for id_, events in _by_uid(calendar).items():
        if any(title.search(words_of(event, "SUMMARY")) for event in events):
            listings += EventSeries(id_, tuple(events), zone, home_day(now)).listings()
    return listings


def _calendar(document: WebDocument) -> Calendar:
    text = document.content.decode("utf-8-sig", errors="replace").replace("\0", "").lstrip()
    todo = "Open it in a calendar program; correct its address in calendar_sources, or have it mended."
    if not text.upper().startswith("BEGIN:VCALENDAR"):
        what = "a web page (does it need a login?)" if "<html" in text[:2048].lower() else "no calendar"
        raise FeedUnreadableError(f"{place(document.url)} sends {what}: BEGIN:VCALENDAR was looked for. {todo}")
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # Not the parser's own words: they quote the content, which can be long and name people.
        raise FeedUnreadableError(
            f"{place(document.url)} is broken, or breaks off before END:VCALENDAR ({type(error).__name__}). {todo}"
        ) from None
    if not isinstance(calendar, Calendar):
        raise FeedUnreadableError(f"{place(document.url)} holds something else than a calendar. {todo}")
    return calendar


def _by_uid(calendar: Calendar) -> dict[str, list[Event]]:
    events: dict[str, list[Event]] = {}
    found = [event for event in calendar.walk("VEVENT") if isinstance(event, Event)]
    for number, event in enumerate(found, start=1):
        # One without a UID stands alone, and is held back for it.
        events.setdefault(str(event.get("UID") or f"event {number} without UID"), []).append(event)
    return events
