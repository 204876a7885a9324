"""Superseding: catch-ups that wait for the morning, and whose deadline changes before it comes (R6, R9)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span
from enrollment_crm.domain.turns import LONGEST_WAIT, PersonalTurn
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.storage.reminders import claim_all_due_people
from enrollment_crm.workflows.cells import CalendarView, points_in, turns_in, turns_of_everybody


def supersede_for_everybody(
    connection: Connection,
    cadences: Cadences,
    view: CalendarView,
    concerns: Callable[[DuePoint], bool],
) -> int:
    """Record as superseded what waits and concerns a date that is about to change. Call it before the change."""
    span = _night_ahead(view.now)
    waiting = points_in(cadences, view, span, turns_in(connection, cadences, view, span))
    return _supersede(connection, waiting, concerns, None, view.now)


def supersede_for_person(
    connection: Connection,
    cadences: Cadences,
    view: CalendarView,
    *,
    person_id: int,
    own_turns: Sequence[PersonalTurn],
    concerns: Callable[[DuePoint], bool],
) -> int:
    """The same for one person, whose residency or term is about to change."""
    span = _night_ahead(view.now)
    waiting = points_in(cadences, view, span, [*turns_of_everybody(view, span), *own_turns])
    return _supersede(connection, waiting, concerns, [person_id], view.now)


def _night_ahead(now: datetime) -> Span:
    return Span(now - timedelta(microseconds=1), now + LONGEST_WAIT)


def _supersede(
    connection: Connection,
    waiting: dict[str, list[DuePoint]],
    concerns: Callable[[DuePoint], bool],
    person_ids: Sequence[int] | None,
    now: datetime,
) -> int:
    settled = 0
    for zone, points in waiting.items():
        overtaken = tuple(
            replace(point, withheld=WithholdReason.SUPERSEDED)
            for point in points
            if point.catch_up and point.withheld is None and point.there_by < now and concerns(point)
        )
        if overtaken:
            people = DuePeople(DueCell(zone, overtaken), "", "", person_ids=person_ids, also_unrouted=True)
            settled += claim_all_due_people(connection, people, now=now).settled
    return settled
