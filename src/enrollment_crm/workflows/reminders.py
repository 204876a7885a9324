"""Reminders: find the due cells, send each, and remember how far has been swept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.points import session_points
from enrollment_crm.domain.reminders import (
    DueCell,
    DueSession,
    due_cells,
    due_sessions,
    name_of_cell,
    name_of_session,
    still_due,
)
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.overview import count_unrouted, intake_totals
from enrollment_crm.storage.reminders import (
    claim_due_people,
    claim_due_registrations,
    count_due_people,
    count_due_registrations,
    record_sweep,
    swept_until,
    zones_of_people,
)
from enrollment_crm.storage.unfinished import count_unfinished
from enrollment_crm.workflows.answers import calendar_at
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, Tally, deliver, resume
from enrollment_crm.workflows.outbox import Outbox

#: A sweep always looks back this far: a person who arrived before a point may be loaded after it.
LOOKBACK = timedelta(hours=1)
_KINDS = (MessageKind.DEADLINE_REMINDER, MessageKind.SESSION_REMINDER)


@dataclass(frozen=True)
class Due:
    """One unit of work of a sweep: a cell, a session or unfinished messages, with the name that ops reads.

    Travels between tasks as ``to_wire``: dates and counts, no people.
    """

    name: str
    #: People who are not settled yet.
    people: int
    #: How many of them would get a message now.
    to_send: int
    cell: DueCell | None = None
    session_id: str | None = None
    session_offset: str | None = None
    instant: datetime | None = None
    unfinished: MessageKind | None = None

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
    """Everything that is due at ``now`` and concerns somebody, most urgent deadline first."""
    check_aware(now)
    calendar = calendar_at(outbox, now)
    with transaction(outbox.engine) as connection:
        since = min(swept_until(connection) or now, now - LOOKBACK)
        zones = zones_of_people(connection)
    cadence = outbox.programs[outbox.default_program].cadence
    cells = due_cells(calendar.deadlines, zones, cadence, since=since, until=now)
    sessions = due_sessions(calendar.prep_sessions, cadence, since=since, until=now)
    # The unfinished come last: what a newer point has overtaken by then is withheld.
    found = [*_counted_cells(outbox, cells), *_counted_sessions(outbox, sessions), *_unfinished(outbox)]
    return [due for due in found if due.people]


def _unfinished(outbox: Outbox) -> list[Due]:
    with transaction(outbox.engine) as connection:
        counts = {kind: count_unfinished(connection, kind) for kind in _KINDS}
    return [
        Due(f"unfinished {kind.value.replace('_', ' ')}s · {count}", count, count, unfinished=kind)
        for kind, count in counts.items()
    ]


def _counted_cells(outbox: Outbox, cells: list[DueCell]) -> list[Due]:
    topic = outbox.topic_of(MessageKind.DEADLINE_REMINDER)
    urgent = sorted(cells, key=lambda cell: (min(point.stated_date for point in cell.points), cell.instant))
    with transaction(outbox.engine) as connection:
        counts = [count_due_people(connection, cell, topic=topic) for cell in urgent]
    return [
        Due(f"{name_of_cell(cell)} · {count.to_send}", count.unsettled, count.to_send, cell=cell)
        for cell, count in zip(urgent, counts, strict=True)
    ]


def _counted_sessions(outbox: Outbox, sessions: list[DueSession]) -> list[Due]:
    topic = outbox.topic_of(MessageKind.SESSION_REMINDER)
    with transaction(outbox.engine) as connection:
        counts = [count_due_registrations(connection, one, topic=topic) for one in sessions]
    return [
        Due(
            f"{name_of_session(one)} · {count.to_send}",
            count.unsettled,
            count.to_send,
            session_id=one.prep_session.id,
            session_offset=one.offset,
            instant=one.instant,
        )
        for one, count in zip(sessions, counts, strict=True)
    ]


def send_due(outbox: Outbox, due: Due, *, now: datetime, dry_run: bool = False) -> Tally:
    """Send one unit of work to its end. A dry run counts it, as ``planned``, and sends nothing."""
    check_aware(now)
    if dry_run:
        return Tally.of_planned(due.to_send)
    calendar = calendar_at(outbox, now)
    if due.unfinished:
        return resume(outbox, due.unfinished, calendar, now=now)
    if due.cell:
        return _send_cell(outbox, still_due(due.cell, calendar.deadlines, now=now), calendar, now)
    return _send_session(outbox, due, calendar, now)


def _send_cell(outbox: Outbox, cell: DueCell, calendar: Calendar, now: datetime) -> Tally:
    tally, topic = Tally(), outbox.topic_of(MessageKind.DEADLINE_REMINDER)
    if not cell.points:
        return tally
    while True:
        with transaction(outbox.engine) as connection:
            claim = claim_due_people(connection, cell, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)
        if not claim.settled:
            return tally
        tally.add_withheld(claim.withheld)
        tally += deliver(outbox, claim.message_ids, calendar, now=now)


def _send_session(outbox: Outbox, due: Due, calendar: Calendar, now: datetime) -> Tally:
    tally, topic = Tally(), outbox.topic_of(MessageKind.SESSION_REMINDER)
    point = _session_point(outbox, due, calendar)
    if point is None:
        return tally
    while True:
        with transaction(outbox.engine) as connection:
            claim = claim_due_registrations(
                connection, point, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now
            )
        if not claim.settled:
            return tally
        tally.add_withheld(claim.withheld)
        tally += deliver(outbox, claim.message_ids, calendar, now=now)


def _session_point(outbox: Outbox, due: Due, calendar: Calendar) -> DueSession | None:
    """The point that was found; None where the session was moved or cancelled, or has begun since then."""
    session = next((one for one in calendar.prep_sessions if one.id == due.session_id), None)
    if session is None:
        return None
    cadence = outbox.programs[outbox.default_program].cadence
    points = session_points(session.starts, ZoneInfo(session.zone), cadence)
    still = (one for one in points if (one.offset, one.instant) == (due.session_offset, due.instant))
    return next((DueSession(one.instant, session, one.offset) for one in still), None)


def finish_sweep(outbox: Outbox, *, now: datetime) -> bool:
    """Remember that everything up to ``now`` has been looked at, once all units of work have ended well.

    Not while somebody may have been passed over: a person whom a loader had locked, or who had arrived and was not
    loaded or routed yet, as at the end of an outage. Then the next sweep looks again from where this one did, and
    False is given; the keys of R5 keep it from sending twice.
    """
    check_aware(now)
    passed_over = any(due.unfinished is None for due in find_due(outbox, now=now))
    with transaction(outbox.engine) as connection:
        intake, unrouted = intake_totals(connection), count_unrouted(connection)
        if passed_over or intake.pending or intake.not_loaded or unrouted:
            return False
        record_sweep(connection, now)
    return True


def send_reminders(outbox: Outbox, *, now: datetime, dry_run: bool = False) -> Tally:
    """A whole sweep without Airflow: find, send, remember."""
    tally = Tally()
    for due in find_due(outbox, now=now):
        tally += send_due(outbox, due, now=now, dry_run=dry_run)
    if not dry_run:
        finish_sweep(outbox, now=now)
    return tally
