"""A sweep: find what is due, send each unit of it, and remember how far has been swept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from enrollment_crm.domain.campaigns import CampaignStop
from enrollment_crm.domain.checklist_reminders import name_of_checklists
from enrollment_crm.domain.freshness import HELD_KINDS, Gate
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.notices import MovedDate, name_of_moved_date
from enrollment_crm.domain.reminders import DueCell, name_of_cell
from enrollment_crm.domain.session_reminders import DueSession, name_of_session
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.tally import Tally
from enrollment_crm.storage.campaigns import open_stops
from enrollment_crm.storage.cells import CellPart
from enrollment_crm.storage.claims import DueCount
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.overview import is_anything_on_its_way
from enrollment_crm.storage.sweeps import record_outage, record_sweeps
from enrollment_crm.storage.unfinished import count_unfinished
from enrollment_crm.workflows.answers import calendar_at
from enrollment_crm.workflows.campaigns import stop_of
from enrollment_crm.workflows.cells import (
    CalendarView,
    find_cells,
    find_held_cells,
    outage_ending,
    parts_of_cell,
    send_cell,
    view_calendar,
)
from enrollment_crm.workflows.checklist_reminders import find_checklists, send_checklists
from enrollment_crm.workflows.delivery import resume
from enrollment_crm.workflows.freshness import gate_at, gate_in, note_sources
from enrollment_crm.workflows.notices import (
    SESSION_NOTICES,
    find_moved_dates,
    find_session_notices,
    send_moved_date,
    send_session_notices,
)
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.session_reminders import find_sessions, send_session

#: What a sweep sends, and so what it takes up again where a worker vanished.
_KINDS = (
    MessageKind.DEADLINE_REMINDER,
    MessageKind.DEADLINE_MOVED,
    MessageKind.SESSION_INVITATION,
    MessageKind.SESSION_REMINDER,
    MessageKind.CHECKLIST_REMINDER,
    *SESSION_NOTICES,
)


@dataclass(frozen=True)
class Due:
    """One unit of work of a sweep, with the name that ops reads: one of the fields after ``to_send`` says what.

    Travels between tasks as ``to_wire``: dates and counts, no people.
    """

    name: str
    #: People who are not settled yet.
    people: int
    #: How many of them would get a message now.
    to_send: int
    cell: DueCell | None = None
    session: DueSession | None = None
    #: Applicants of the cell whose application awaits something.
    checklists: DueCell | None = None
    moved: MovedDate | None = None
    session_notices: MessageKind | None = None
    #: Messages that vanished workers and refusals left behind.
    unfinished: MessageKind | None = None
    #: Of a large cell: which part of its people, by id, so that several workers share it; None: all of them.
    part: CellPart | None = None
    #: Why the freshness gate holds it, or why its campaign is stopped; empty: it goes out.
    held: str = ""

    @property
    def kind(self) -> MessageKind:
        """What it sends; an invitation that goes by itself belongs to its cell's campaign."""
        if self.moved:
            return MessageKind.DEADLINE_MOVED
        if self.checklists:
            return MessageKind.CHECKLIST_REMINDER
        if self.session:
            return MessageKind.SESSION_REMINDER
        return self.session_notices or self.unfinished or MessageKind.DEADLINE_REMINDER

    @property
    def says_not_submitted(self) -> bool:
        """It goes to people because they have not submitted, or have not completed: the freshness gate may hold it."""
        return self.cell is not None or self.checklists is not None or self.unfinished in HELD_KINDS

    def to_wire(self) -> dict[str, Any]:
        """As plain JSON values."""
        wire: dict[str, Any] = _WIRE.dump_python(self, mode="json")
        return wire

    @staticmethod
    def from_wire(wire: Mapping[str, Any]) -> "Due":
        """What ``to_wire`` wrote."""
        return _WIRE.validate_python(wire)


_WIRE = TypeAdapter(Due)


def find_due(outbox: Outbox, *, now: datetime) -> list[Due]:
    """Everything that is due at ``now`` and concerns somebody: notices, then the most urgent deadline first.

    What a closed freshness gate holds is among it, with the reason in its name, and is not sent.
    """
    check_aware(now)
    with transaction(outbox.engine) as connection:
        return _find(connection, outbox, view_calendar(connection, now))


def _find(connection: Connection, outbox: Outbox, view: CalendarView) -> list[Due]:
    gate = gate_in(connection, outbox, view.now)
    moved = [
        _due(name_of_moved_date(one), count, moved=one) for one, count in find_moved_dates(connection, outbox, view)
    ]
    notices = [
        _due(kind.value.replace("_", " "), count, session_notices=kind)
        for kind, count in find_session_notices(connection, outbox, view.now)
    ]
    find = find_held_cells if gate.is_closed else find_cells
    cells = [
        due
        for cell, count in find(connection, outbox, view)
        for due in _in_parts(connection, outbox, view, _due(name_of_cell(cell), count, gate, cell=cell))
    ]
    checklists = [
        _due(name_of_checklists(cell), count, gate, checklists=cell)
        for cell, count in find_checklists(connection, outbox, view, held=gate.is_closed)
    ]
    sessions = [
        _due(name_of_session(one), count, session=one) for one, count in find_sessions(connection, outbox, view)
    ]
    # The unfinished come last: what a newer point has overtaken by then is withheld.
    counts = count_unfinished(connection)
    unfinished = [
        _due(f"unfinished {kind.value.replace('_', ' ')}s", DueCount(count, count), gate, unfinished=kind)
        for kind, count in counts.items()
        if kind in _KINDS
    ]
    stops = open_stops(connection)
    found = (*moved, *notices, *cells, *checklists, *sessions, *unfinished)
    return [_stopped(due, stops) for due in found if due.people]


def _in_parts(connection: Connection, outbox: Outbox, view: CalendarView, due: Due) -> list[Due]:
    """A cell of many people as several units of work, which workers take side by side."""
    if due.cell is None or due.held or due.people <= outbox.people_a_part:
        return [due]
    parts = parts_of_cell(connection, outbox, due.cell, view, people=due.people)
    return [
        replace(due, name=f"{due.name} · part {number} of {len(parts)}", people=people, to_send=to_send, part=part)
        for number, (part, people, to_send) in enumerate(parts, start=1)
    ]


def _stopped(due: Due, stops: Mapping[MessageKind, CampaignStop]) -> Due:
    """What a stopped campaign would send is shown with the reason, as what the freshness gate holds."""
    stop = stops.get(due.kind)
    if stop is None or due.held:
        return due
    return replace(due, name=f"stopped: {due.name}: {stop.reason}", held=stop.reason)


def _due(name: str, count: DueCount, gate: Gate | None = None, **what: Any) -> Due:
    due = Due(f"{name} · {count.to_send}", count.unsettled, count.to_send, **what)
    if gate is None or not gate.is_closed or not due.says_not_submitted:
        return due
    # Nobody is held to whom nothing would go.
    return replace(due, name=f"held: {due.name}: {gate.reason}", people=count.to_send, held=gate.reason)


def send_due(outbox: Outbox, due: Due, *, now: datetime, dry_run: bool = False) -> Tally:
    """Send one unit of work to its end. A dry run counts it, as ``planned``, and sends nothing.

    What the freshness gate or a stopped campaign holds is counted as ``held``, also where that came after the unit was
    found.
    """
    check_aware(now)
    if dry_run and not due.held:
        return Tally.of_planned(due.to_send)
    if due.held or stop_of(outbox.engine, due.kind):
        return Tally.of_held(due.to_send)
    if due.says_not_submitted and gate_at(outbox, now=now).is_closed:
        return Tally.of_held(due.to_send)
    return _send(outbox, due, now)


def _send(outbox: Outbox, due: Due, now: datetime) -> Tally:
    calendar = calendar_at(outbox, now)
    if due.unfinished:
        return resume(outbox, due.unfinished, calendar, now=now)
    if due.cell:
        return send_cell(outbox, due.cell, calendar, now=now, part=due.part)
    if due.checklists:
        return send_checklists(outbox, due.checklists, calendar, now=now)
    if due.session:
        return send_session(outbox, due.session, calendar, now=now)
    if due.moved:
        return send_moved_date(outbox, due.moved, calendar, now=now)
    if due.session_notices:
        return send_session_notices(outbox, due.session_notices, calendar, now=now)
    raise ValueError(f"The unit {due.name!r} says nothing of what to send: run the sweep again.")


def finish_sweep(outbox: Outbox, *, now: datetime, found_nothing: bool = False) -> bool:
    """Remember that everything up to ``now`` has been looked at, once all units of work have ended well.

    Not while somebody may have been passed over: a person whom a loader had locked, or who had arrived and was not
    loaded or routed yet, as at the end of an outage. Then the next sweep looks again from where this one did, and
    False is given; the keys of R5 keep it from sending twice. An outage that ends with this sweep is kept: its end is
    the turn of those to whom it is night now (R6).

    While the freshness gate is closed or a campaign is stopped, deadlines stay where they are: the span until then is
    an outage, so that R6 decides what of it is still of use.

    Args:
        found_nothing: the sweep found nothing due, and so passed nobody over: it need not look again.
    """
    check_aware(now)
    with transaction(outbox.engine) as connection:
        view = view_calendar(connection, now)
        found = [] if found_nothing else _find(connection, outbox, view)
        passed_over = any(due.unfinished is None and not due.held for due in found)
        note_sources(connection, outbox, now)
        is_held = gate_in(connection, outbox, now).is_closed or any(due.held for due in found)
        if passed_over or is_anything_on_its_way(connection):
            return False
        if not any(due.held for due in found if due.session):
            record_sweeps(connection, [Sweep.SESSIONS], now)
        if not is_held:
            _finish_deadlines(connection, outbox, view)
    return True


def _finish_deadlines(connection: Connection, outbox: Outbox, view: CalendarView) -> None:
    outage = outage_ending(connection, outbox, view)
    if outage:
        record_outage(connection, outage)
    record_sweeps(connection, [Sweep.DEADLINES], view.now)


def send_reminders(outbox: Outbox, *, now: datetime, dry_run: bool = False) -> Tally:
    """A whole sweep without Airflow: find, send, remember."""
    tally, found = Tally(), find_due(outbox, now=now)
    for due in found:
        tally += send_due(outbox, due, now=now, dry_run=dry_run)
    if not dry_run:
        finish_sweep(outbox, now=now, found_nothing=not found)
    return tally
