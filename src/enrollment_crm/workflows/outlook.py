"""The outlook: what the sweeps from now on will find, by the functions that they find it with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.deadlines import in_force_at
from enrollment_crm.domain.notices import MovedDate
from enrollment_crm.domain.outlook import looks_ahead, sessions_ahead
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span, still_due
from enrollment_crm.domain.session_reminders import DueSession
from enrollment_crm.domain.turns import PersonalTurn, Turn
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.workflows.cells import (
    CalendarView,
    due_people,
    invitations_in,
    on_time,
    outage_ending,
    points_in,
    turns_in,
    turns_of_everybody,
    view_calendar,
)
from enrollment_crm.workflows.notices import moved_since_last_sweep
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.session_reminders import sessions_due


@dataclass(frozen=True)
class Outlook:
    """What sweeps will look at from now to the end of the span, if nothing else happens.

    ``zones``: one question for each zone: the cell of a sweep right now, and its later looks.
    ``sessions``: the points of sessions, each with the instant of the sweep that finds it.
    ``moved``: what a sweep right now tells of dates that moved.
    """

    view: CalendarView
    zones: tuple[DuePeople, ...]
    sessions: tuple[tuple[datetime, DueSession], ...]
    moved: tuple[MovedDate, ...]


@dataclass(frozen=True)
class OnePerson:
    """Whose outlook it is, where it is not everybody's: their zone, and the last turn of each of their interests."""

    person_id: int
    zone: str
    turns: tuple[PersonalTurn, ...]


def outlook(connection: Connection, outbox: Outbox, span: Span, person: OnePerson | None = None) -> Outlook:
    """Everything that falls due after the last sweep and up to the end of the span, which begins now."""
    everybody = view_calendar(connection, span.after)
    outage = outage_ending(connection, outbox, everybody)
    view = replace(everybody, zones=[person.zone]) if person else everybody
    whole = Span(on_time(outbox, span.after).after, span.until)
    turns = _turns(connection, outbox, view, whole, person)
    points = points_in(outbox.cadences, view, whole, [*turns, *([outage] if outage else [])])
    sessions = [(span.after, one) for one in sessions_due(connection, outbox, span.after)]
    sessions += [(due.instant, due) for due in sessions_ahead(view.prep_sessions, outbox.cadences.default, span)]
    return Outlook(
        view=view,
        zones=tuple(replace(one, person_ids=_only(person)) for one in _people(outbox, view, span, points)),
        sessions=tuple(sessions),
        moved=tuple(moved_since_last_sweep(connection, outbox, span.after)),
    )


def _only(person: OnePerson | None) -> list[int] | None:
    return [person.person_id] if person else None


def _turns(
    connection: Connection, outbox: Outbox, view: CalendarView, span: Span, person: OnePerson | None
) -> list[Turn]:
    if person:
        return [*turns_of_everybody(view, span), *person.turns]
    return turns_in(connection, outbox.cadences, view, span)


def _people(outbox: Outbox, view: CalendarView, span: Span, points: dict[str, list[DuePoint]]) -> Iterator[DuePeople]:
    due_now = {zone: [one for one in due if one.due_at <= span.after] for zone, due in points.items()}
    invitations = invitations_in(outbox, view, on_time(outbox, span.after), due_now)
    deadlines, cadence = in_force_at(view.records, view.now), outbox.cadences.default
    for zone in view.zones:
        cell = DueCell(zone, tuple(due_now.get(zone, ())), tuple(invitations.get(zone, ())))
        later = looks_ahead(zone, points.get(zone, ()), view.prep_sessions, deadlines, cadence, span=span)
        if cell.points or cell.invitations or later:
            yield replace(due_people(outbox, still_due(cell, deadlines, now=view.now), view), later=later)
