"""The calendar beside what its sources say: read, compared, planned; applied once a person has approved (R9 to R12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Engine

from enrollment_crm.domain.calendar_plans import CalendarPlan, PlanAlreadyAppliedError
from enrollment_crm.domain.calendar_readings import CalendarReading
from enrollment_crm.domain.calendar_sync import (
    Comparison,
    compare_readings,
    problems_in_words,
    reference_program,
)
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.plans_in_words import plan_in_words
from enrollment_crm.domain.programs import Cadences, Program
from enrollment_crm.sources.calendar_readings import read_calendar_sources
from enrollment_crm.sources.feed_errors import FeedUnreachableError
from enrollment_crm.sources.web_documents import place
from enrollment_crm.storage.calendar_changes import CalendarChange, calendar_change
from enrollment_crm.storage.calendar_reviews import (
    CalendarReview,
    ask,
    close_calendar_review,
    close_what_is_gone,
    open_calendar_reviews,
)
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import every_prep_session
from enrollment_crm.workflows.calendar_changes import apply_calendar
from enrollment_crm.workflows.calendar_plans import fingerprint_of, plan_calendar
from enrollment_crm.workflows.outbox import Outbox

Readings = Mapping[str, CalendarReading]
_WIRE = TypeAdapter(dict[str, CalendarReading])
#: With more sources than this a row says how many they were, and not all their names.
_MOST_NAMED = 3


@dataclass(frozen=True)
class CalendarCompared:
    """What a reading would change, and what it leaves to people."""

    plan: CalendarPlan
    #: Reviews that this comparison opened, and closed because no source says it any more.
    opened: int
    closed: int
    #: Everything that waits for a person.
    waiting: tuple[CalendarReview, ...]
    remarks: tuple[str, ...]
    #: What could not be read, each in words; nothing of it is in the plan.
    problems: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """The figures for the grid."""
        return {
            "deadlines": len(self.plan.deadlines),
            "sessions": len(self.plan.sessions),
            "reviews_opened": self.opened,
            "reviews_closed": self.closed,
            "reviews_waiting": len(self.waiting),
            "not_read": len(self.problems),
        }


def read_calendars(
    engine: Engine, programs: Mapping[str, Program], *, now: datetime, timeout_in_seconds: float
) -> dict[str, CalendarReading]:
    """What the sources of every program that has some say now. A source that fails is in its reading, in words."""
    check_aware(now)
    with transaction(engine) as connection:
        in_force = deadlines_in_force(connection)
    return {
        key: read_calendar_sources(reference_program(program, in_force), now=now, timeout_in_seconds=timeout_in_seconds)
        for key, program in programs.items()
        if _addresses(program)
    }


def check_answered(readings: Readings) -> None:
    """Nothing, if every source answered, whatever it said.

    Raises:
        FeedUnreachableError: one did not; reading once more, a little later, can help.
    """
    silent = [one.words for reading in readings.values() for one in reading.problems if one.passing]
    if silent:
        raise FeedUnreachableError(" ".join(dict.fromkeys(silent)))


def compare_calendars(
    engine: Engine, outbox: Outbox, readings: Readings, *, now: datetime, dry_run: bool = False
) -> CalendarCompared:
    """Say what the readings would change, for how many people, and ask for a person where only a person can decide.

    The calendar stays as it is: the plan is for ``apply_approved``. Reviews are opened and closed here.
    """
    check_aware(now)
    compared = _compare(engine, outbox.programs, readings, now)
    plan = plan_calendar(engine, outbox, compared.proposal, now=now)
    whole = [key for key, one in readings.items() if one.parts and not one.problems]
    with transaction(engine, dry_run=dry_run) as connection:
        opened = ask(connection, compared.questions, now=now)
        closed = close_what_is_gone(connection, whole, compared.questions, now=now)
        waiting = tuple(open_calendar_reviews(connection))
    return CalendarCompared(plan, opened, closed, waiting, compared.remarks, tuple(problems_in_words(readings)))


def _compare(engine: Engine, programs: Mapping[str, Program], readings: Readings, now: datetime) -> Comparison:
    read = {key: programs[key] for key in readings}
    places = dict.fromkeys(place(url) for program in read.values() for url in _addresses(program))
    with transaction(engine) as connection:
        return compare_readings(
            readings,
            read,
            in_force=deadlines_in_force(connection),
            sessions=every_prep_session(connection),
            source=", ".join(places) if len(places) <= _MOST_NAMED else f"{len(places)} calendar sources",
            sources={
                key: place(program.calendar_sources.program_page)
                for key, program in read.items()
                if program.calendar_sources.program_page
            },
            now=now,
        )


def apply_approved(
    engine: Engine, cadences: Cadences, plan: CalendarPlan, *, by: str, why: str, now: datetime
) -> CalendarChange:
    """Make the changes of a plan that a person approved. A plan that was applied before is done: this can run twice.

    Raises:
        StalePlanError: the calendar has changed since the plan was made.
    """
    try:
        return apply_calendar(engine, cadences, plan, by=by, why=why, now=now)
    except PlanAlreadyAppliedError:
        with transaction(engine) as connection:
            done = calendar_change(connection, fingerprint_of(plan))
        if done is None:
            raise
        return done


def compared_in_words(compared: CalendarCompared) -> str:
    """The plan, what could not be read, what waits for a person, and what is remarked, as plain text."""
    parts = [plan_in_words(compared.plan)]
    waiting = [f"{one.program}, {one.listing} ({one.about.replace('_', ' ')}): {one.words}" for one in compared.waiting]
    for title, lines in (
        ("Not read, and so not changed:", compared.problems),
        ("Waits for a person to decide:", waiting),
        ("Remarked:", compared.remarks),
    ):
        if lines:
            parts.append("\n".join([title, *(f"- {line}" for line in lines)]))
    return "\n\n".join(parts)


def subject_of(plan: CalendarPlan) -> str:
    """The question in one line, for the person who approves."""
    dates, sessions = len(plan.deadlines), len(plan.sessions)
    counts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((dates, "deadline"), (sessions, "session")) if n]
    return f"The pages differ from the calendar in force: {' and '.join(counts)} to change" if counts else "No change"


def list_reviews(engine: Engine) -> list[CalendarReview]:
    """What waits for a person to decide, oldest first."""
    with transaction(engine) as connection:
        return open_calendar_reviews(connection)


def decide_review(engine: Engine, review_id: int, *, by: str, decision: str, now: datetime) -> bool:
    """Close a review with what was decided; False where it is unknown or closed already. Changes no date by itself."""
    with transaction(engine) as connection:
        return close_calendar_review(connection, review_id, by=by, decision=decision, now=check_aware(now))


def readings_to_json(readings: Readings) -> str:
    """The readings, to travel between two tasks: dates, sessions and words of public pages."""
    return _WIRE.dump_json(dict(readings)).decode()


def readings_from_json(text: str) -> dict[str, CalendarReading]:
    """What ``readings_to_json`` wrote."""
    return _WIRE.validate_json(text)


def _addresses(program: Program) -> list[str]:
    sources = program.calendar_sources
    page = [sources.program_page] if sources.program_page else []
    return [*page, *sources.events_pages, *sources.calendar_feeds]
