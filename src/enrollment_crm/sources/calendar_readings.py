"""All sources of one program's calendar, read at once and put side by side."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from enrollment_crm.domain.calendar_readings import CalendarPart, CalendarReading, SourceProblem, reconcile
from enrollment_crm.domain.deadline_listings import date_deadlines
from enrollment_crm.domain.listings import Listings
from enrollment_crm.domain.programs import Program
from enrollment_crm.sources import events_page
from enrollment_crm.sources.calendar_feed import fetch_calendar
from enrollment_crm.sources.events_page import read_events
from enrollment_crm.sources.feed_errors import FeedError, FeedUnreachableError
from enrollment_crm.sources.program_page import StatedGroup, read_deadlines
from enrollment_crm.sources.web_documents import place
from enrollment_crm.sources.web_pages import fetch_page

T = TypeVar("T")


def read_calendar_sources(program: Program, *, now: datetime, timeout_in_seconds: float = 30) -> CalendarReading:
    """What every configured source of the program says now. A source that fails is reported, and hides no other.

    Args:
        program: its ``calendar_sources`` are read; its configured dates give the stated ones their years.
        now: the instant of the reading (R12).
        timeout_in_seconds: for each connection, and for each wait for a further part of an answer.
    """
    reading = _Reading(program, now, timeout_in_seconds)
    sources = program.calendar_sources
    if sources.program_page:
        reading.read_program_page(sources.program_page)
    for url in sources.events_pages:
        reading.read_events_page(url)
    for url in sources.calendar_feeds:
        reading.read_feed(url)
    return reading.result()


class _Reading:
    """The reading while it goes on: what was understood so far, and what was not."""

    def __init__(self, program: Program, now: datetime, timeout_in_seconds: float) -> None:
        self._program, self._now, self._timeout = program, now, timeout_in_seconds
        self._title = re.compile(program.calendar_sources.session_title, re.IGNORECASE)
        self._listings = Listings()
        self._problems: list[SourceProblem] = []
        self._parts: set[CalendarPart] = set()

    def read_program_page(self, url: str) -> None:
        both = (CalendarPart.DEADLINES, CalendarPart.SESSIONS)
        page = self._attempt(url, both, lambda: fetch_page(url, timeout_in_seconds=self._timeout))
        if page is None:
            return
        groups = {
            StatedGroup(one.group.entry_term.season, one.group.round, one.group.residency)
            for one in self._program.deadlines
        }
        section = events_page.SECTION
        self._take(url, CalendarPart.DEADLINES, lambda: read_deadlines(page, expected=groups))
        self._take(
            url,
            CalendarPart.SESSIONS,
            lambda: read_events(page, title=self._title, now=self._now, section=section),
        )

    def read_events_page(self, url: str) -> None:
        def read() -> Listings:
            page = fetch_page(url, timeout_in_seconds=self._timeout)
            return read_events(page, title=self._title, now=self._now)

        self._take(url, CalendarPart.SESSIONS, read)

    def read_feed(self, url: str) -> None:
        def read() -> Listings:
            return fetch_calendar(url, title=self._title, now=self._now, timeout_in_seconds=self._timeout)

        self._take(url, CalendarPart.SESSIONS, read)

    def _take(self, url: str, part: CalendarPart, read: Callable[[], Listings]) -> None:
        self._listings += self._attempt(url, (part,), read) or Listings()

    def _attempt(self, url: str, parts: tuple[CalendarPart, ...], read: Callable[[], T]) -> T | None:
        self._parts.update(parts)
        try:
            return read()
        except FeedError as error:
            passing = isinstance(error, FeedUnreachableError)
            self._problems += [SourceProblem(place(url), part, str(error), passing) for part in parts]
            return None

    def result(self) -> CalendarReading:
        listings = reconcile(self._listings)
        deadlines, held_back = date_deadlines(listings.deadlines, self._program.deadlines, now=self._now)
        return CalendarReading(
            deadlines=deadlines,
            # A feed need not name an address; an email must have one behind its button.
            sessions=tuple(replace(one, url=one.url or self._program.url) for one in listings.sessions),
            cancelled=listings.cancelled,
            held_back=(*listings.held_back, *held_back),
            warnings=listings.warnings,
            problems=tuple(self._problems),
            parts=frozenset(self._parts),
        )
