"""Checklist reminders: found and sent to applicants whose submitted application awaits something (R3, R6)."""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from enrollment_crm.domain.checklist_reminders import expectations_of
from enrollment_crm.domain.deadlines import in_force_at
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span, due_cells, still_due
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.tally import Tally
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
    programs = {one.program for one in expectations_of(outbox.programs)}
    if not programs or not anything_missing(connection):
        return []
    points = _held_points(outbox, view) if held else _due_points(connection, outbox, view)
    theirs = {zone: [one for one in found if one.program in programs] for zone, found in points.items()}
    cells = due_cells({zone: found for zone, found in theirs.items() if found}, {})
    deadlines = in_force_at(view.records, view.now)
    due = [_due_applicants(outbox, still_due(cell, deadlines, now=view.now) if held else cell) for cell in cells]
    return [(one.people.cell, count_due_applicants(connection, one)) for one in due if one.people.cell.points]


def _due_points(connection: Connection, outbox: Outbox, view: CalendarView) -> dict[str, list[DuePoint]]:
    outage = outage_ending(connection, outbox, view)
    turns = [*view.outages, *([outage] if outage else [])]
    return points_in(outbox.cadences, view, on_time(outbox, view.now), turns)


def _held_points(outbox: Outbox, view: CalendarView) -> dict[str, list[DuePoint]]:
    missed = missed_span(view, outbox, Sweep.DEADLINES)
    span = Span((missed or on_time(outbox, view.now)).after, view.now)
    return points_in(outbox.cadences, view, span, view.outages)


def _due_applicants(outbox: Outbox, cell: DueCell) -> DueApplicants:
    topic = outbox.topic_of(MessageKind.CHECKLIST_REMINDER)
    return DueApplicants(DuePeople(cell, topic, topic), expectations_of(outbox.programs), outbox.default_program)


def send_checklists(outbox: Outbox, cell: DueCell, calendar: Calendar, *, now: datetime) -> Tally:
    """Claim and send the checklist reminders of a cell to their end, a few people at a time."""
    tally = Tally()
    due = _due_applicants(outbox, still_due(cell, calendar.deadlines, now=now))
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
