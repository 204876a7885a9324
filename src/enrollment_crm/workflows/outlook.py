"""The outlook: what the sweeps from now on will find, by the functions that they find it with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from enrollment_crm.domain.deadlines import in_force_at
from enrollment_crm.domain.invitations import next_cut_offs
from enrollment_crm.domain.notices import MovedDate
from enrollment_crm.domain.outlook import Look, looks_ahead, sessions_ahead
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span, still_due
from enrollment_crm.domain.session_reminders import DueSession
from enrollment_crm.domain.turns import PersonalTurn, Turn
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.storage.checklist_reminders import DueApplicants
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
from enrollment_crm.workflows.checklist_reminders import applicants_of, checklist_points
from enrollment_crm.workflows.notices import moved_since_last_sweep
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.session_reminders import sessions_due

#: Points that one statement asks about: some zones of a program with its terms, or all of them.
_POINTS_A_STATEMENT = 20_000


@dataclass(frozen=True)
class LooksAhead:
    """A question who is due at which look, and the looks: a row of the answer names its look by the place there."""

    question: DuePeople | DueApplicants
    looks: tuple[Look, ...]


@dataclass(frozen=True)
class Outlook:
    """What sweeps will look at from now to the end of the span, if nothing else happens.

    ``people``: everything about deadlines, invitations and what applications await, as few questions over the zones as
    are of a good size.
    ``sessions``: the points of sessions, each with the instant of the sweep that finds it.
    ``moved``: what a sweep right now tells of dates that moved.
    """

    view: CalendarView
    people: tuple[LooksAhead, ...]
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
    awaited = checklist_points(connection, outbox, view, whole, outage)
    looks = _looks(outbox, view, span, points)
    looks_at_applicants = _looks(outbox, replace(view, prep_sessions=()), span, awaited)
    sessions = [(span.after, one) for one in sessions_due(connection, outbox, everybody)]
    sessions += [(due.instant, due) for due in sessions_ahead(view.prep_sessions, outbox.cadences.default, span)]
    return Outlook(
        view=view,
        people=(
            *(LooksAhead(asked, found) for asked, found in _questions(outbox, view, looks, person)),
            *(
                LooksAhead(applicants_of(outbox, asked), found)
                for asked, found in _questions(outbox, view, looks_at_applicants, person)
            ),
        ),
        sessions=tuple(sessions),
        moved=tuple(moved_since_last_sweep(connection, outbox, everybody)),
    )


def _turns(
    connection: Connection, outbox: Outbox, view: CalendarView, span: Span, person: OnePerson | None
) -> list[Turn]:
    if person:
        return [*turns_of_everybody(view, span), *person.turns]
    return turns_in(connection, outbox.cadences, view, span)


def _looks(outbox: Outbox, view: CalendarView, span: Span, points: dict[str, list[DuePoint]]) -> Iterator[Look]:
    """The looks of each zone in order of time: the one of a sweep right now, and the later ones."""
    due_now = {zone: [one for one in due if one.due_at <= span.after] for zone, due in points.items()}
    invitations = invitations_in(outbox, view, on_time(outbox, span.after), due_now)
    deadlines, cadence = in_force_at(view.records, view.now), outbox.cadences.default
    cut_offs = tuple(next_cut_offs(deadlines, view.now))
    for zone in view.zones:
        cell = DueCell(zone, tuple(due_now.get(zone, ())), tuple(invitations.get(zone, ())))
        if cell.points or cell.invitations:
            yield Look(view.now, still_due(cell, deadlines, now=view.now), cut_offs)
        yield from looks_ahead(zone, points.get(zone, ()), view.prep_sessions, deadlines, cadence, span=span)


def _questions(
    outbox: Outbox, view: CalendarView, looks: Iterable[Look], person: OnePerson | None
) -> Iterator[tuple[DuePeople, tuple[Look, ...]]]:
    """The looks in questions of a good size, never one zone in two: its looks bear on each other."""
    together: list[Look] = []
    for _, of_zone in groupby(looks, key=lambda look: look.cell.zone):
        together += of_zone
        if sum(len(look.cell.points) for look in together) >= _POINTS_A_STATEMENT:
            yield _question(outbox, view, together, person)
            together = []
    if together:
        yield _question(outbox, view, together, person)


def _question(
    outbox: Outbox, view: CalendarView, looks: list[Look], person: OnePerson | None
) -> tuple[DuePeople, tuple[Look, ...]]:
    first, *later = looks
    only = [person.person_id] if person else None
    people = replace(due_people(outbox, first.cell, view), cut_offs=first.cut_offs, later=later, person_ids=only)
    return people, tuple(looks)
