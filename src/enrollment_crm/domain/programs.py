"""A program of study as the school configures it: its facts, its counselors and its calendar."""

from collections.abc import Mapping
from dataclasses import dataclass

from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.points import Cadence
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency


@dataclass(frozen=True)
class Counselor:
    """The member of staff who owns a person's enrollment. pii: a staff name and work address, published."""

    key: str
    name: str
    address: str


@dataclass(frozen=True)
class CalendarSources:
    """Where the outside world states a program's dates and sessions; by default nowhere."""

    #: Address of the page with "Admissions dates" and "Upcoming events".
    program_page: str | None = None
    #: Addresses of pages that are lists of events.
    events_pages: tuple[str, ...] = ()
    #: Addresses of iCalendar feeds.
    calendar_feeds: tuple[str, ...] = ()
    #: Regular expression, in any case, that titles of prep sessions match and those of other events do not.
    session_title: str = "application prep session"


@dataclass(frozen=True)
class Program:
    """One program: the words that its emails use, who owns whom, and the dates in force by configuration."""

    key: str
    name: str
    url: str
    request_info_url: str
    apply_url: str
    #: Where its dates were read, kept with every deadline row.
    source: str
    counselors: Mapping[Residency, Counselor]
    deadlines: tuple[Deadline, ...]
    prep_sessions: tuple[PrepSession, ...]
    cadence: Cadence
    calendar_sources: CalendarSources = CalendarSources()
