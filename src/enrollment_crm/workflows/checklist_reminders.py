"""Checklist reminders: found and sent to applicants whose submitted application awaits something (R3, R6)."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from enrollment_crm.domain.checklist_reminders import expectations_of
from enrollment_crm.domain.deadlines import in_force_at
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span, due_cells, still_due
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.tally import Tally
from enrollment_crm.domain.turns import Outage
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.storage.checklist_reminders import (
    DueApplicants,
    claim_due_applicants,
    count_due_applicants,
    ids_of_due_applicants,
)
from enrollment_crm.storage.checklists import anything_missing
from enrollment_crm.storage.claims import DueCount
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.cells import (
    CalendarView,
    missed_span,
    on_time,
    outage_ending,
    points_in,
)
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, claim, deliver
from enrollment_crm.workflows.outbox import Outbox


def find_checklists(
    connection: Connection, outbox: Outbox, view: CalendarView, *, held: bool = False
) -> list[tuple[DueCell, DueCount]]:
    """The deadline points that are due now, with the applicants whose application awaits something.

    The end of an outage catches up the newest missed point (R6). Nothing else is a turn: new facts, and a date that
    moves, bring no missed point back.

    Args:
        held: the freshness gate is closed: all that fell due since the last sweep that sent, as it fell due.
    """
    programs = _reminding(connection, outbox)
    if not programs:
        return []
    if held:
        points = _points_of(programs, outbox, view, _held_span(outbox, view))
    else:
        outage = outage_ending(connection, outbox, view)
        points = _points_of(programs, outbox, view, on_time(outbox, view.now), outage)
    deadlines = in_force_at(view.records, view.now)
    cells = [still_due(cell, deadlines, now=view.now) if held else cell for cell in due_cells(points, {})]
    due = [_applicants_in(outbox, cell) for cell in cells if cell.points]
    return [(one.people.cell, count_due_applicants(connection, one)) for one in due]


def checklist_points(
    connection: Connection, outbox: Outbox, view: CalendarView, span: Span, outage: Outage | None
) -> dict[str, list[DuePoint]]:
    """Zone -> the points of the span at which applicants may be reminded; none where no application awaits anything.

    Args:
        outage: one that ends now, and so is not in the view.
    """
    return _points_of(_reminding(connection, outbox), outbox, view, span, outage)


def _reminding(connection: Connection, outbox: Outbox) -> set[str]:
    """Programs that remind applicants, while there is anything to remind of."""
    programs = {one.program for one in expectations_of(outbox.programs)}
    return programs if programs and anything_missing(connection) else set()


def _points_of(
    programs: Collection[str], outbox: Outbox, view: CalendarView, span: Span, outage: Outage | None = None
) -> dict[str, list[DuePoint]]:
    if not programs:
        return {}
    points = points_in(outbox.cadences, view, span, [*view.outages, *([outage] if outage else [])])
    theirs = {zone: [one for one in found if one.program in programs] for zone, found in points.items()}
    return {zone: found for zone, found in theirs.items() if found}


def _held_span(outbox: Outbox, view: CalendarView) -> Span:
    missed = missed_span(view, outbox, Sweep.DEADLINES)
    return Span((missed or on_time(outbox, view.now)).after, view.now)


def _applicants_in(outbox: Outbox, cell: DueCell) -> DueApplicants:
    topic = outbox.topic_of(MessageKind.CHECKLIST_REMINDER)
    return applicants_of(outbox, DuePeople(cell, topic, topic))


def applicants_of(outbox: Outbox, people: DuePeople) -> DueApplicants:
    """The question whose application lacks something, of these people."""
    return DueApplicants(people, expectations_of(outbox.programs), outbox.default_program)


def send_checklists(outbox: Outbox, cell: DueCell, calendar: Calendar, *, now: datetime) -> Tally:
    """Claim and send the checklist reminders of a cell to their end, a few people at a time."""
    tally = Tally()
    due = _applicants_in(outbox, still_due(cell, calendar.deadlines, now=now))
    if not due.people.cell.points or not due.expectations:
        return tally
    with transaction(outbox.engine) as connection:
        ids = ids_of_due_applicants(connection, due)
    for start in range(0, len(ids), PEOPLE_A_CLAIM):
        chosen = ids[start : start + PEOPLE_A_CLAIM]
        ask = partial(claim_due_applicants, applicants=due, ids=chosen, lease=outbox.lease, now=now)
        claimed = claim(outbox, MessageKind.CHECKLIST_REMINDER, ask)
        tally.add_withheld(claimed.withheld)
        tally += deliver(outbox, claimed.messages, calendar, now=now)
    return tally
