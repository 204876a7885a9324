"""Cells: what is due of deadlines and invitations in each zone, found and sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from enrollment_crm.domain.deadlines import DeadlineRecord, in_force_at
from enrollment_crm.domain.invitations import DueInvitation, invitations_at, next_cut_offs
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.outlook import AN_INSTANT, goes
from enrollment_crm.domain.points import next_hour_of_sending
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.reminders import DueCell, DuePoint, Span, due_cells, due_points, still_due
from enrollment_crm.domain.stretches import edges_of_turns, joined
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.tally import Tally
from enrollment_crm.domain.turns import LONGEST_WAIT, Outage, Turn, date_changes
from enrollment_crm.storage.cells import CellPart, DuePeople
from enrollment_crm.storage.claims import DueCount
from enrollment_crm.storage.deadlines import deadline_records
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import prep_sessions_after
from enrollment_crm.storage.reminders import (
    DuePage,
    claim_due_people,
    count_due_people,
    next_due_people,
    split_due_people,
)
from enrollment_crm.storage.sweeps import outages_since, swept_until, zones_of_people
from enrollment_crm.storage.turns import TurnQuestion, personal_turns, stretches_of_turns
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, claim, deliver
from enrollment_crm.workflows.outbox import Outbox

#: More personal turns than this are put together in stretches: each makes points, and each point is a row to join.
MOST_TURNS_ONE_BY_ONE = 200
#: People of a zone looked through in one statement.
_PEOPLE_A_PAGE = 10_000
#: So many workers take one cell side by side at most.
_MOST_PARTS = 8


@dataclass(frozen=True)
class CalendarView:
    """The calendar as a sweep reads it: dates with their history, sessions ahead, and the zones of people."""

    records: Sequence[DeadlineRecord]
    prep_sessions: Sequence[PrepSession]
    zones: Sequence[str]
    outages: Sequence[Outage]
    #: How far each sweep has looked.
    swept: Mapping[Sweep, datetime]
    now: datetime


def view_calendar(connection: Connection, now: datetime) -> CalendarView:
    """What is needed to tell what is due at ``now``, or will be later."""
    return CalendarView(
        records=deadline_records(connection, since=now - LONGEST_WAIT),
        prep_sessions=prep_sessions_after(connection, now),
        zones=zones_of_people(connection),
        outages=outages_since(connection, now - LONGEST_WAIT),
        swept=swept_until(connection),
        now=now,
    )


def on_time(outbox: Outbox, now: datetime) -> Span:
    """What a sweep at ``now`` takes for on time; what lies before was due in an outage, if no sweep looked at it."""
    return Span(now - max(outbox.punctuality, AN_INSTANT), now)


def missed_span(view: CalendarView, outbox: Outbox, sweep: Sweep) -> Span | None:
    """The span that no sweep has looked at and that is not on time any more; None: there is none."""
    swept, due = view.swept.get(sweep, view.now), on_time(outbox, view.now)
    return Span(swept, due.after) if swept < due.after else None


def outage_ending(connection: Connection, outbox: Outbox, view: CalendarView) -> Outage | None:
    """The outage whose end is this sweep: something fell due, and nobody looked (R6). None: nothing did."""
    missed = missed_span(view, outbox, Sweep.DEADLINES)
    if missed is None or not points_in(
        outbox.cadences, view, missed, turns_in(connection, outbox.cadences, view, missed)
    ):
        return None
    return Outage(missed.after, view.now)


def turns_in(connection: Connection, cadences: Cadences, view: CalendarView, span: Span) -> list[Turn]:
    """The turns of which something may settle in the span."""
    waking_zones = [zone for zone in view.zones if _wakes(cadences, zone, span)]
    question = TurnQuestion(span.after, span.until, waking_zones)
    personal = personal_turns(connection, question, most=MOST_TURNS_ONE_BY_ONE)
    if personal is None:
        until_now = Span(span.after, max(span.after, min(span.until, view.now)))
        edges = edges_of_turns(view.records, view.zones, cadences.of, cadences.every(), until_now)
        every_edge = sorted({edge for theirs in edges.values() for edge in theirs})
        personal = joined(stretches_of_turns(connection, question, edges=every_edge), edges)
    return [*turns_of_everybody(view, span), *personal]


def turns_of_everybody(view: CalendarView, span: Span) -> list[Turn]:
    """Outages and changes of dates of which something may settle in the span."""
    return [*view.outages, *date_changes(view.records, since=span.after - LONGEST_WAIT, until=span.until)]


def _wakes(cadences: Cadences, zone: str, span: Span) -> bool:
    """Whether the hour at which catch-ups of the night go out falls into the span."""
    return any(next_hour_of_sending(span.after, ZoneInfo(zone), cadence) in span for cadence in cadences.every())


def points_in(cadences: Cadences, view: CalendarView, span: Span, turns: Sequence[Turn]) -> dict[str, list[DuePoint]]:
    """Zone -> the points that are due in the span."""
    return due_points(view.records, view.zones, cadences.of, turns, span)


def find_cells(connection: Connection, outbox: Outbox, view: CalendarView) -> list[tuple[DueCell, DueCount]]:
    """The cells that are due now with their people, most urgent deadline first."""
    span = on_time(outbox, view.now)
    outage = outage_ending(connection, outbox, view)
    turns = [*turns_in(connection, outbox.cadences, view, span), *([outage] if outage else [])]
    points = points_in(outbox.cadences, view, span, turns)
    cells = due_cells(points, invitations_in(outbox, view, span, points))
    people = [due_people(outbox, cell, view) for cell in cells]
    return [(one.cell, count_due_people(connection, one)) for one in people]


def find_held_cells(connection: Connection, outbox: Outbox, view: CalendarView) -> list[tuple[DueCell, DueCount]]:
    """The cells of a closed freshness gate: all that fell due since the last sweep that sent, with its people.

    As it fell due, and not as it would be caught up (R6): so that it can be seen at night too, and when the feed
    comes again is not known. What is over, or of a date that is in force no more, is not among it. An invitation is
    never caught up (R10): it is held for as long as it is on time.
    """
    now, punctual = view.now, on_time(outbox, view.now)
    span = Span((missed_span(view, outbox, Sweep.DEADLINES) or punctual).after, now)
    points = points_in(outbox.cadences, view, span, turns_in(connection, outbox.cadences, view, span))
    deadlines = in_force_at(view.records, now)
    cells = due_cells(points, invitations_in(outbox, view, punctual, points))
    people = [due_people(outbox, still_due(cell, deadlines, now=now), view) for cell in cells]
    return [(one.cell, count_due_people(connection, one)) for one in people if one.cell.points or one.cell.invitations]


def invitations_in(
    outbox: Outbox, view: CalendarView, span: Span, points: dict[str, list[DuePoint]]
) -> dict[str, list[DueInvitation]]:
    """Zone -> the invitations that go out by themselves in the span, or with one of the points at its end."""
    cadence = outbox.cadences.default
    found = {}
    for zone in view.zones:
        going = goes(points.get(zone, ()))
        invitations = [
            one
            for one in invitations_at(view.prep_sessions, zone, cadence, after=span.after, until=span.until)
            if going or not one.folds_only
        ]
        if invitations:
            found[zone] = invitations
    return found


def due_people(outbox: Outbox, cell: DueCell, view: CalendarView) -> DuePeople:
    """The question who of a cell is due."""
    deadlines = in_force_at(view.records, view.now)
    return DuePeople(
        cell=cell,
        reminder_topic=outbox.topic_of(MessageKind.DEADLINE_REMINDER),
        invitation_topic=outbox.topic_of(MessageKind.SESSION_INVITATION),
        cut_offs=next_cut_offs(deadlines, view.now) if cell.invitations else (),
    )


def parts_of_cell(
    connection: Connection, outbox: Outbox, cell: DueCell, view: CalendarView, *, people: int
) -> list[tuple[CellPart, int, int]]:
    """A large cell in parts of about the same size: each with its people, and how many of them would get a message."""
    parts = min(_MOST_PARTS, ceil(people / outbox.people_a_part))
    return split_due_people(connection, due_people(outbox, cell, view), parts=parts)


def send_cell(
    outbox: Outbox, cell: DueCell, calendar: Calendar, *, now: datetime, part: CellPart | None = None
) -> Tally:
    """Claim and send a cell, or a part of it, to its end, a few people at a time."""
    tally = Tally()
    with transaction(outbox.engine) as connection:
        view = view_calendar(connection, now)
    people = due_people(outbox, still_due(cell, calendar.deadlines, now=now), view)
    if part is not None:
        people = replace(people, after_person_id=part.after_person_id, through_person_id=part.through_person_id)
    if people.cell.points or people.cell.invitations:
        for chosen in _chosen(outbox, people):
            ask = partial(claim_due_people, people=chosen, lease=outbox.lease, now=now)
            claimed = claim(outbox, MessageKind.DEADLINE_REMINDER, ask)
            tally.add_withheld(claimed.withheld)
            tally += deliver(outbox, claimed.messages, calendar, now=now)
    return tally


def _chosen(outbox: Outbox, people: DuePeople) -> Iterator[DuePeople]:
    """The due people of a cell, as few at a time as are claimed together."""
    page = DuePage((), people.after_person_id)
    while page.through_person_id is not None:
        people = replace(people, after_person_id=page.through_person_id)
        with transaction(outbox.engine) as connection:
            page = next_due_people(connection, people, size=_PEOPLE_A_PAGE)
        for start in range(0, len(page.person_ids), PEOPLE_A_CLAIM):
            yield replace(people, person_ids=page.person_ids[start : start + PEOPLE_A_CLAIM])
