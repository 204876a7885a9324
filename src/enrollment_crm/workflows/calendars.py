"""The calendar as people look at it: dates with who follows them, dates that wait, sessions ahead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.deadlines import DeadlineGroup, FollowedDeadlines
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.proposals import Proposal, configured_proposal
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.rollover import DateToConfirm, to_confirm
from enrollment_crm.storage.calendar_changes import DeadlineEntry, count_followers, deadline_entries
from enrollment_crm.storage.deadlines import deadlines_in_force, unconfirmed_deadlines
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import every_prep_session, prep_sessions_after, prep_sessions_of_source
from enrollment_crm.workflows.deadlines import CONFIGURATION


@dataclass(frozen=True)
class DateInForce:
    """A date in force with its history, and how many people follow it: of its group, and of unknown residency (R2)."""

    entry: DeadlineEntry
    people: int
    people_of_unknown_residency: int


@dataclass(frozen=True)
class CalendarShown:
    """Everything that `calendar show` shows."""

    in_force: tuple[DateInForce, ...]
    waiting: tuple[DateToConfirm, ...]
    sessions: tuple[PrepSession, ...]


def show_calendar(
    engine: Engine, *, program: str | None = None, entry_term: str | None = None, now: datetime
) -> CalendarShown:
    """The calendar as it stands, of every program and term, or of one."""
    check_aware(now)

    def is_asked_for(group: DeadlineGroup) -> bool:
        return program in (None, group.program) and entry_term in (None, str(group.entry_term))

    with transaction(engine) as connection:
        deadlines = deadlines_in_force(connection)
        followed = FollowedDeadlines(deadlines, now)
        people = count_followers(connection)
        entries = [one for one in deadline_entries(connection) if one.approved_at and is_asked_for(one.group)]
        waiting = to_confirm(unconfirmed_deadlines(connection), deadlines, now=now)
        return CalendarShown(
            in_force=tuple(_in_force(one, followed, people) for one in entries),
            waiting=tuple(one for one in waiting if is_asked_for(one.deadline.group)),
            sessions=tuple(prep_sessions_after(connection, now)),
        )


def _in_force(
    entry: DeadlineEntry, followed: FollowedDeadlines, people: Mapping[tuple[str, str, str], int]
) -> DateInForce:
    group = entry.group
    program, term = group.program, str(group.entry_term)
    unknown = DeadlineGroup(group.program, group.entry_term, group.round, Residency.UNKNOWN)
    theirs = followed.followed_by(unknown)
    follow = theirs is not None and theirs.group == group
    return DateInForce(
        entry,
        people.get((program, term, group.residency.value), 0),
        people.get((program, term, Residency.UNKNOWN.value), 0) if follow else 0,
    )


def propose_configuration(engine: Engine, programs: Mapping[str, Program], *, now: datetime) -> Proposal:
    """What a configuration would change of the calendar in force; for ``plan_calendar``."""
    check_aware(now)
    with transaction(engine) as connection:
        entries = [one for one in deadline_entries(connection) if one.approved_at]
        return configured_proposal(
            programs,
            in_force=deadlines_in_force(connection),
            configured_groups=[one.group for one in entries if _is_configured(one, programs)],
            sessions=every_prep_session(connection),
            configured_sessions=prep_sessions_of_source(connection, CONFIGURATION),
            now=now,
        )


def _is_configured(entry: DeadlineEntry, programs: Mapping[str, Program]) -> bool:
    """Whether the date in force came from a file, by `db upgrade` or by a plan."""
    program = programs.get(entry.group.program)
    return entry.approved_by == CONFIGURATION or (program is not None and entry.source == program.source)
