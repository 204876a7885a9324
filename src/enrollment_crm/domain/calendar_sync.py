"""What the pages say beside what is in force: a proposal, and what only a person can decide (R9, R10, R12).

Nothing here comes into force by itself: the proposal becomes a plan, and a person approves it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from enrollment_crm.domain.calendar_readings import CalendarReading, reconcile
from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.listings import HeldBack, HoldReason, Listings
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.proposals import Proposal
from enrollment_crm.domain.session_matching import Matching, is_settled, match_sessions


class NotApprovedError(RuntimeError):
    """No person has approved this change, so nothing was changed. Clear `approve`, and answer it in Airflow."""


class CalendarUnreadError(Exception):
    """Part of the calendar was not read; nothing of that part was changed. See the pages that are named."""


@dataclass(frozen=True)
class Question:
    """What only a person can decide of a program's calendar: a listing that was held back."""

    program: str
    held: HeldBack


@dataclass(frozen=True)
class Comparison:
    """What readings propose for the calendar in force, and what they leave to a person."""

    proposal: Proposal
    questions: tuple[Question, ...]
    remarks: tuple[str, ...]


def compare_readings(
    readings: Mapping[str, CalendarReading],
    programs: Mapping[str, Program],
    *,
    in_force: Iterable[Deadline],
    sessions: Iterable[PrepSession],
    source: str,
    sources: Mapping[str, str],
    now: datetime,
) -> Comparison:
    """Put what was read beside what is in force. What a reading does not name stays as it is.

    A page names no entry term: it moves dates that are in force, and never gives a date to a term that has none.

    Args:
        readings: program -> what its sources say.
        sessions: every session of the registry, also those that are over or cancelled.
        source: where the sessions were read, in words; ``sources``: program -> where its dates were.
    """
    check_aware(now)
    known = tuple(sessions)
    deadlines, contradicting = _dates(readings, {one.group: one for one in in_force})
    matching, remarks = _matched(readings, programs, known, now)
    first = next(iter(readings), "")
    questions = [
        *(Question(key, held) for key, reading in readings.items() for held in reading.held_back),
        *contradicting,
        *(Question(_lister(held.listing, readings) or first, held) for held in matching.held_back),
    ]
    return Comparison(
        Proposal(source, deadlines, (), matching.sessions, matching.cancelled, sources),
        tuple(dict.fromkeys(one for one in questions if not is_settled(one.held, known, now))),
        tuple(dict.fromkeys(remarks)),
    )


def reference_program(program: Program, in_force: Iterable[Deadline]) -> Program:
    """The program with its dates in force instead of the configured ones: what a page without a year is read against.

    A date that was moved once would else be compared with where it was before.
    """
    current = {one.group: one for one in in_force if one.group.program == program.key}
    configured = {one.group: one for one in program.deadlines}
    return replace(program, deadlines=tuple((configured | current).values()))


def problems_in_words(readings: Mapping[str, CalendarReading]) -> list[str]:
    """What could not be read: program, part, and in the words of its source which page, what is missing, what to do."""
    return [
        f"{program}, {one.part.value}: {one.words}" for program, reading in readings.items() for one in reading.problems
    ]


def _dates(
    readings: Mapping[str, CalendarReading], known: Mapping[DeadlineGroup, Deadline]
) -> tuple[tuple[Deadline, ...], list[Question]]:
    """The stated dates of groups that have one, on the clock that they end on, and what is stated twice."""
    stated: dict[DeadlineGroup, dict[date, Deadline]] = {}
    for one in (one for reading in readings.values() for one in reading.deadlines if one.group in known):
        read = replace(one, cut_off_zone=known[one.group].cut_off_zone)
        stated.setdefault(one.group, {})[one.stated_date] = read
    certain = tuple(read for dates in stated.values() if len(dates) == 1 for read in dates.values())
    return certain, [_stated_twice(group, dates) for group, dates in stated.items() if len(dates) > 1]


def _stated_twice(group: DeadlineGroup, dates: Iterable[date]) -> Question:
    which = f"{group.entry_term} {group.round.value} {group.residency.value}"
    words = f"it is stated as {' and as '.join(map(str, dates))}: which is meant?"
    return Question(group.program, HeldBack(which, HoldReason.CONTRADICTION, words))


def _matched(
    readings: Mapping[str, CalendarReading],
    programs: Mapping[str, Program],
    known: Iterable[PrepSession],
    now: datetime,
) -> tuple[Matching, list[str]]:
    """The sessions of all programs: they belong to none, so a list that two programs name is one list."""
    addresses = {one.url.rstrip("/") for one in programs.values()}

    def own(one: PrepSession) -> PrepSession:
        return replace(one, url="") if one.url.rstrip("/") in addresses else one

    read = [one for reading in readings.values() for one in reading.sessions]
    cancelled = [one for reading in readings.values() for one in reading.cancelled]
    listings = reconcile(Listings(tuple(map(own, read)), tuple(map(own, cancelled))))
    found = match_sessions(listings.sessions, listings.cancelled, map(own, known), now=now)
    named = {one.id: one.url for one in [*reversed(read), *known]}
    matching = replace(
        found,
        sessions=tuple(replace(one, url=one.url or named[one.id]) for one in found.sessions),
        held_back=(*listings.held_back, *found.held_back),
    )
    warnings = [one for reading in readings.values() for one in reading.warnings]
    return matching, [*warnings, *listings.warnings, *found.remarks]


def _lister(listing: str, readings: Mapping[str, CalendarReading]) -> str | None:
    """The first program whose sources name the session."""
    return next((key for key, one in readings.items() if any(s.id == listing for s in one.sessions)), None)
