"""Deadlines and sessions of the configuration, brought into force as dated rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.storage.deadlines import add_missing_deadlines, deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import add_missing_prep_sessions


@dataclass(frozen=True)
class CalendarLoaded:
    """What was added, and the groups whose date in force differs from the file: those are not moved by loading."""

    deadlines: int
    prep_sessions: int
    differing: tuple[str, ...]


def load_calendar(engine: Engine, programs: Mapping[str, Program], *, now: datetime) -> CalendarLoaded:
    """Bring every date and session of the configuration into force that is not there yet."""
    check_aware(now)
    deadlines = prep_sessions = 0
    with transaction(engine) as connection:
        in_force = {one.group: one.stated_date for one in deadlines_in_force(connection)}
        for program in programs.values():
            deadlines += add_missing_deadlines(
                connection, program.deadlines, source=program.source, approved_by="configuration", now=now
            )
            prep_sessions += add_missing_prep_sessions(connection, program.prep_sessions)
    differing = [
        f"{one.group.program}, {one.group.entry_term}, {one.group.round.value}, {one.group.residency.value}: "
        f"{in_force[one.group]} is in force, the file says {one.stated_date}"
        for program in programs.values()
        for one in program.deadlines
        if in_force.get(one.group, one.stated_date) != one.stated_date
    ]
    return CalendarLoaded(deadlines, prep_sessions, tuple(differing))


def load_prep_sessions(engine: Engine, sessions: Iterable[PrepSession]) -> int:
    """Add sessions that are not known yet. Gives the number added."""
    with transaction(engine) as connection:
        return add_missing_prep_sessions(connection, sessions)
