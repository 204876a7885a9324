"""Reminders of prep sessions, for those who registered (R10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from enrollment_crm.domain.points import Cadence, session_points
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.reminders import Span, in_words
from enrollment_crm.domain.withholding import WithholdReason


@dataclass(frozen=True)
class DueSession:
    """One point of one prep session, for the people who registered for it. ``withheld``: it is only recorded."""

    instant: datetime
    prep_session: PrepSession
    offset: str
    withheld: WithholdReason | None = None


def due_sessions(
    prep_sessions: Iterable[PrepSession], cadence: Cadence, *, missed: Span, due: Span
) -> list[DueSession]:
    """The session points that are due, and those missed in an outage, which are too late: never caught up (R10)."""
    found = []
    for session in prep_sessions:
        known_from = session.changed_at
        for point in session_points(session.starts, ZoneInfo(session.zone), cadence):
            if known_from and point.instant < known_from:
                continue
            if point.instant in missed or (point.instant in due and session.starts <= due.until):
                found.append(DueSession(point.instant, session, point.offset, WithholdReason.TOO_LATE))
            elif point.instant in due:
                found.append(DueSession(point.instant, session, point.offset))
    return sorted(found, key=lambda one: (one.instant, one.prep_session.id))


def name_of_session(due: DueSession) -> str:
    """What operations read in the grid: ``session prep-2026-11-25 · 1 day``."""
    late = " · too late" if due.withheld else ""
    return f"session {due.prep_session.id} · {in_words(due.offset)}{late}"
