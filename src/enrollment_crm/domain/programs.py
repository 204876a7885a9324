"""A program of study as the school configures it: its facts, its counselors and its calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from enrollment_crm.domain.checklists import ExpectedItem
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, Round
from enrollment_crm.domain.points import Cadence
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm, Season
from enrollment_crm.domain.zones import HOME_ZONE


@dataclass(frozen=True)
class Counselor:
    """The member of staff who owns a person's enrollment. pii: a staff name and work address, published."""

    key: str
    name: str
    address: str


@dataclass(frozen=True)
class DatePattern:
    """A date as the page states it, without a year: for the terms of one season, one round and some groups."""

    season: Season
    round: Round
    residencies: tuple[Residency, ...]
    month: int
    day: int
    #: The date lies in the calendar year before that of the entry term.
    in_previous_year: bool

    def stated_date(self, entry_term: EntryTerm) -> date:
        """The date for one term.

        Raises:
            ValueError: it does not exist in that year, as 29 February mostly does not.
        """
        year = entry_term.year - 1 if self.in_previous_year else entry_term.year
        try:
            return date(year, self.month, self.day)
        except ValueError:
            raise ValueError(
                f"{self.month}-{self.day} does not exist in {year}: choose another day for {entry_term}."
            ) from None


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
class DateException:
    """A date of one term that differs from the pattern, for one round and some groups."""

    entry_term: EntryTerm
    round: Round
    residencies: tuple[Residency, ...]
    stated_date: date


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
    #: The dates of every term, of which ``deadlines`` are made, and those of the next cycle.
    date_patterns: tuple[DatePattern, ...] = ()
    #: IANA zone on whose clock a stated date ends (R1).
    cut_off_zone: str = HOME_ZONE
    #: What an application needs.
    checklist: tuple[ExpectedItem, ...] = ()
    #: Whether applicants are reminded of what of it is not yet processed.
    checklist_reminders: bool = False
    #: Where the outside world states its dates and sessions.
    calendar_sources: CalendarSources = CalendarSources()
    #: Where one term has another date than the pattern.
    date_exceptions: tuple[DateException, ...] = ()

    def deadlines_for(self, entry_term: EntryTerm) -> list[Deadline]:
        """The dates that the patterns give one term, and the exceptions from them.

        Raises:
            ValueError: one of them does not exist in its year.
        """
        return [
            Deadline(
                DeadlineGroup(self.key, entry_term, pattern.round, residency),
                self._exception(entry_term, pattern.round, residency) or pattern.stated_date(entry_term),
                cut_off_zone=self.cut_off_zone,
            )
            for pattern in self.date_patterns
            if pattern.season is entry_term.season
            for residency in pattern.residencies
        ]

    def _exception(self, entry_term: EntryTerm, a_round: Round, residency: Residency) -> date | None:
        theirs = (one for one in self.date_exceptions if (one.entry_term, one.round) == (entry_term, a_round))
        return next((one.stated_date for one in theirs if residency in one.residencies), None)


@dataclass(frozen=True)
class Cadences:
    """The cadence of each program."""

    programs: Mapping[str, Program]
    default_program: str

    def of(self, program: str) -> Cadence:
        """The cadence of a program; the default program's, where the configuration does not know it."""
        return self.programs.get(program, self.programs[self.default_program]).cadence

    @property
    def default(self) -> Cadence:
        """The cadence of what belongs to no program: prep sessions."""
        return self.of(self.default_program)

    def every(self) -> set[Cadence]:
        """All cadences that are in use."""
        return {program.cadence for program in self.programs.values()}
