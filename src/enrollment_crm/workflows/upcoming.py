"""What comes next: the instant at which a sweep will have something to do."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from enrollment_crm.domain.points import invitation_point, session_points
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.reminders import Span
from enrollment_crm.workflows.cells import CalendarView, points_in, turns_in, view_calendar


def next_instant(connection: Connection, cadences: Cadences, span: Span) -> datetime | None:
    """The first instant of the span at which a point, a catch-up, a session's reminder or an invitation falls due."""
    view = view_calendar(connection, span.after)
    points = points_in(cadences, view, span, turns_in(connection, cadences, view, span))
    found = [point.due_at for due in points.values() for point in due]
    found += [instant for instant in _of_sessions(cadences, view) if instant in span]
    return min(found, default=None)


def _of_sessions(cadences: Cadences, view: CalendarView) -> list[datetime]:
    cadence = cadences.default
    instants = []
    for session in view.prep_sessions:
        clock = ZoneInfo(session.zone)
        instants += [point.instant for point in session_points(session.starts, clock, cadence)]
        instants += [invitation_point(session.starts, clock, ZoneInfo(zone), cadence).instant for zone in view.zones]
    return instants
