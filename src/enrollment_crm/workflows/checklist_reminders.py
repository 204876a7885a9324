"""Checklist reminders: found and sent to applicants whose submitted application awaits something (R3, R6)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.checklist_reminders import expectations_of
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import DueCell, DuePoint, due_cells, still_due
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.storage.checklist_reminders import DueApplicants, claim_due_applicants, count_due_applicants
from enrollment_crm.storage.checklists import anything_missing
from enrollment_crm.storage.claims import DueCount
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.cells import on_time, outage_ending, points_in, view_calendar
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, Tally, deliver
from enrollment_crm.workflows.outbox import Outbox


def find_checklists(connection: Connection, outbox: Outbox, now: datetime) -> list[tuple[DueCell, DueCount]]:
    """The deadline points that are due at ``now``, with the applicants whose application awaits something.

    The end of an outage catches up the newest missed point (R6). Nothing else is a turn: new facts, and a date that
    moves, bring no missed point back.
    """
    programs = {one.program for one in expectations_of(outbox.programs)}
    if not programs or not anything_missing(connection):
        return []
    view, span = view_calendar(connection, now), on_time(outbox, now)
    outage = outage_ending(connection, outbox, view)
    points = points_in(outbox.cadences, view, span, [*view.outages, *([outage] if outage else [])])
    theirs = {zone: _of_programs(found, programs) for zone, found in points.items()}
    cells = due_cells({zone: found for zone, found in theirs.items() if found}, {})
    return [(cell, count_due_applicants(connection, _due_applicants(outbox, cell))) for cell in cells]


def _of_programs(points: Sequence[DuePoint], programs: set[str]) -> list[DuePoint]:
    return [point for point in points if point.program in programs]


def _due_applicants(outbox: Outbox, cell: DueCell) -> DueApplicants:
    topic = outbox.topic_of(MessageKind.CHECKLIST_REMINDER)
    return DueApplicants(DuePeople(cell, topic, topic), expectations_of(outbox.programs), outbox.default_program)


def send_checklists(outbox: Outbox, cell: DueCell, calendar: Calendar, *, now: datetime) -> Tally:
    """Claim and send the checklist reminders of a cell to their end, a few people at a time."""
    tally = Tally()
    due = _due_applicants(outbox, still_due(cell, calendar.deadlines, now=now))
    while due.people.cell.points and due.expectations:
        with transaction(outbox.engine) as connection:
            part = claim_due_applicants(connection, due, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)
        tally.add_withheld(part.claim.withheld)
        tally += deliver(outbox, part.claim.message_ids, calendar, now=now)
        if part.through_person_id is None:
            break
        due = due.after(part.through_person_id)
    return tally
