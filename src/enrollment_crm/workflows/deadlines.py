"""Deadlines and sessions of the configuration, brought into force as dated rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, FollowedDeadlines, in_force_at
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Cadences, Program
from enrollment_crm.domain.reminders import DuePoint
from enrollment_crm.domain.residency import Residency
from enrollment_crm.storage.deadlines import (
    Approval,
    add_missing_deadlines,
    deadlines_in_force,
    end_deadlines,
    put_in_force,
    unconfirmed_deadlines,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import add_missing_prep_sessions
from enrollment_crm.workflows.cells import CalendarView, view_calendar
from enrollment_crm.workflows.superseding import supersede_for_everybody

#: Who approves what a file brings into force that was not there before, and where sessions of a file were read.
CONFIGURATION = "configuration"


@dataclass(frozen=True)
class CalendarLoaded:
    """What was added, and the groups whose date differs from the file: those are not moved by loading.

    A date that waits to be confirmed, or was cancelled, differs too as long as it lies ahead: nothing is sent for it.
    """

    deadlines: int
    prep_sessions: int
    differing: tuple[str, ...]


def load_calendar(engine: Engine, programs: Mapping[str, Program], *, now: datetime) -> CalendarLoaded:
    """Bring every date and session of the configuration into force that is not there yet."""
    check_aware(now)
    deadlines = prep_sessions = 0
    with transaction(engine) as connection:
        for program in programs.values():
            deadlines += add_missing_deadlines(
                connection, program.deadlines, source=program.source, approved_by=CONFIGURATION, now=now
            )
            prep_sessions += add_missing_prep_sessions(connection, program.prep_sessions, source=CONFIGURATION, now=now)
        in_force = {one.group: one for one in deadlines_in_force(connection)}
        waiting = {one.group for one in unconfirmed_deadlines(connection)}
    stated = [one for program in programs.values() for one in program.deadlines]
    differing = [
        line
        for one in stated
        if (line := _differing(in_force[one.group], one) if one.group in in_force else _not_in_force(one, waiting, now))
    ]
    return CalendarLoaded(deadlines, prep_sessions, tuple(differing))


def _differing(in_force: Deadline, stated: Deadline) -> str:
    if in_force.stated_date != stated.stated_date:
        return f"{_who(stated)}: {in_force.stated_date} is in force, the file says {stated.stated_date}"
    if in_force.cut_off_zone != stated.cut_off_zone:
        return f"{_who(stated)}: ends on the clock of {in_force.cut_off_zone}, the file says {stated.cut_off_zone}"
    return ""


def _not_in_force(stated: Deadline, waiting: Collection[DeadlineGroup], now: datetime) -> str:
    if stated.ends_at() <= now:
        return ""
    why, remedy = ("waits to be confirmed", "confirm") if stated.group in waiting else ("was cancelled", "plan")
    return f"{_who(stated)}: {why}, the file says {stated.stated_date}: see `enrollment-crm calendar {remedy}`"


def _who(stated: Deadline) -> str:
    group = stated.group
    return f"{group.program}, {group.entry_term}, {group.round.value}, {group.residency.value}"


def bring_into_force(
    connection: Connection,
    cadences: Cadences,
    deadlines: Sequence[Deadline],
    approval: Approval,
    *,
    cancelled: Sequence[DeadlineGroup] = (),
    sources: Mapping[str, str] | None = None,
) -> list[Deadline]:
    """Add, move or cancel dates in this transaction; give those that changed, with their new versions.

    What waits for the morning and concerns a date that changes is superseded (R6); the new dates are caught up with,
    and those who were reminded of the old ones are told, by the next sweep (R9).

    Args:
        cancelled: groups that have no date any more.
        sources: program -> where its dates were read, if not at the source of the approval.
    """
    view = view_calendar(connection, approval.at)
    overtaken = _followers_of_changes(view, deadlines, cancelled)

    def concerns(point: DuePoint) -> bool:
        return (point.program, point.entry_term, point.round, point.residency) in overtaken

    if overtaken:
        supersede_for_everybody(connection, cadences, view, concerns)
    end_deadlines(connection, cancelled, at=approval.at)
    known = sources or {}
    changed = []
    for program in sorted({one.group.program for one in deadlines}):
        theirs = [one for one in deadlines if one.group.program == program]
        read_at = known.get(program, approval.source)
        changed += put_in_force(connection, theirs, replace(approval, source=read_at))
    return changed


def _followers_of_changes(
    view: CalendarView, deadlines: Sequence[Deadline], cancelled: Sequence[DeadlineGroup]
) -> set[tuple[str, str, str, str]]:
    """Program, term, round and group of everybody who will follow another date, or none."""
    in_force = {one.group: one for one in in_force_at(view.records, view.now)}
    before = FollowedDeadlines(in_force.values(), view.now)
    kept = {group: one for group, one in in_force.items() if group not in set(cancelled)}
    after = FollowedDeadlines((kept | {one.group: one for one in deadlines}).values(), view.now)
    found = set()
    changing = [*(one.group for one in deadlines), *cancelled]
    for program, entry_term, a_round in {(one.program, one.entry_term, one.round) for one in changing}:
        for residency in Residency:
            group = DeadlineGroup(program, entry_term, a_round, residency)
            old, new = before.followed_by(group), after.followed_by(group)
            if old and (new is None or new.stated_date != old.stated_date):
                found.add((program, str(entry_term), a_round.value, residency.value))
    return found


def load_prep_sessions(engine: Engine, sessions: Iterable[PrepSession], *, now: datetime) -> int:
    """Add sessions that are not known yet. Gives the number added."""
    with transaction(engine) as connection:
        return add_missing_prep_sessions(connection, sessions, now=check_aware(now))
