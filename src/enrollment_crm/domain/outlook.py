"""The outlook: what sweeps will look at in the time ahead, if nothing else happens until then (R3, R6, R8, R10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.invitations import NextCutOff, invitations_at, next_cut_offs
from enrollment_crm.domain.points import Cadence, invitation_point, session_points
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span
from enrollment_crm.domain.session_reminders import DueSession, due_sessions

#: Instants are kept to the microsecond: this is the one right after another.
AN_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Look:
    """What a sweep finds in one zone at one instant, with the next deadline of each group as it stands then."""

    at: datetime
    cell: DueCell
    cut_offs: tuple[NextCutOff, ...] = ()


def looks_ahead(
    zone: str,
    points: Iterable[DuePoint],
    sessions: Sequence[PrepSession],
    deadlines: Sequence[Deadline],
    cadence: Cadence,
    *,
    span: Span,
) -> list[Look]:
    """The looks at one zone in a span, earliest first, each at the instant of what it finds.

    Args:
        points: what falls due in the zone in the span.
        sessions: the prep sessions that lie ahead.
        deadlines: the dates in force.
        cadence: that of sessions.
    """
    in_order = sorted((point for point in points if point.due_at in span), key=lambda point: point.due_at)
    by_instant = {at: tuple(due) for at, due in groupby(in_order, key=lambda point: point.due_at)}
    looks = []
    for at in sorted({*by_instant, *invitation_instants(sessions, zone, cadence, span)}):
        due = by_instant.get(at, ())
        invitations = invitations_at(sessions, zone, cadence, after=at - AN_INSTANT, until=at)
        invitations = invitations if goes(due) else [one for one in invitations if not one.folds_only]
        if due or invitations:
            cut_offs = tuple(next_cut_offs(deadlines, at)) if invitations else ()
            looks.append(Look(at, DueCell(zone, due, tuple(invitations)), cut_offs))
    return looks


def goes(points: Iterable[DuePoint]) -> bool:
    """Whether one of the points is sent, and not only recorded: an invitation of that day goes with it (R8)."""
    return any(point.withheld is None for point in points)


def invitation_instants(sessions: Iterable[PrepSession], zone: str, cadence: Cadence, span: Span) -> set[datetime]:
    """When people of the zone are invited to sessions, within the span (R10)."""
    clock = ZoneInfo(zone)
    instants = {invitation_point(one.starts, ZoneInfo(one.zone), clock, cadence).instant for one in sessions}
    return {at for at in instants if at in span}


def session_instants(sessions: Iterable[PrepSession], cadence: Cadence, span: Span) -> set[datetime]:
    """When those who registered are reminded of sessions, within the span (R10)."""
    points = (point for one in sessions for point in session_points(one.starts, ZoneInfo(one.zone), cadence))
    return {point.instant for point in points if point.instant in span}


def sessions_ahead(sessions: Sequence[PrepSession], cadence: Cadence, span: Span) -> list[DueSession]:
    """The session points that fall due in the span, each as the sweep at its instant finds it."""
    return [
        due
        for at in sorted(session_instants(sessions, cadence, span))
        for due in due_sessions(sessions, cadence, missed=Span(at, at), due=Span(at - AN_INSTANT, at))
    ]
