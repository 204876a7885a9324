"""What comes next: the instant at which a sweep will have something to do."""

from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.outlook import invitation_instants, session_instants
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.reminders import Span
from enrollment_crm.workflows.cells import points_in, turns_in, view_calendar


def next_instant(connection: Connection, cadences: Cadences, span: Span) -> datetime | None:
    """The first instant of the span at which a point, a catch-up, a session's reminder or an invitation falls due."""
    view = view_calendar(connection, span.after)
    points = points_in(cadences, view, span, turns_in(connection, cadences, view, span))
    found = [point.due_at for due in points.values() for point in due]
    found += session_instants(view.prep_sessions, cadences.default, span)
    for zone in view.zones:
        found += invitation_instants(view.prep_sessions, zone, cadences.default, span)
    return min(found, default=None)
