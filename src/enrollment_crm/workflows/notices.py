"""Notices: moved dates and sessions, cancellations and confirmations, found and sent at once (R9, R10)."""

from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.notices import MovedDate, moved_dates
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.tally import Tally
from enrollment_crm.domain.turns import date_changes
from enrollment_crm.storage.claims import Claim, DueCount
from enrollment_crm.storage.deadlines import deadline_records
from enrollment_crm.storage.notices import (
    claim_moved,
    claim_session_notices,
    count_moved,
    count_session_notices,
    is_anybody_registered,
)
from enrollment_crm.workflows.cells import CalendarView, missed_span, on_time
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, claim_and_deliver
from enrollment_crm.workflows.outbox import Outbox

#: What those who registered for a session are told at once.
SESSION_NOTICES = (MessageKind.SESSION_CONFIRMATION, MessageKind.SESSION_MOVED, MessageKind.SESSION_CANCELLED)


def find_moved_dates(connection: Connection, outbox: Outbox, view: CalendarView) -> list[tuple[MovedDate, DueCount]]:
    """The dates that moved since the last sweep, with the people who are to be told."""
    topic = outbox.topic_of(MessageKind.DEADLINE_MOVED)
    return [
        (one, count_moved(connection, one, topic=topic)) for one in moved_since_last_sweep(connection, outbox, view)
    ]


def moved_since_last_sweep(connection: Connection, outbox: Outbox, view: CalendarView) -> list[MovedDate]:
    """The dates that moved and of which the next sweep tells."""
    since = (missed_span(view, outbox, Sweep.DEADLINES) or on_time(outbox, view.now)).after
    records = deadline_records(connection, since=since)
    return moved_dates(date_changes(records, since=since, until=view.now), records)


def find_session_notices(connection: Connection, outbox: Outbox, now: datetime) -> list[tuple[MessageKind, DueCount]]:
    """How many notices of each kind are owed to those who registered."""
    if not is_anybody_registered(connection):
        return []
    return [
        (kind, count_session_notices(connection, kind, topic=outbox.topic_of(kind), now=now))
        for kind in SESSION_NOTICES
    ]


def send_moved_date(outbox: Outbox, moved: MovedDate, calendar: Calendar, *, now: datetime) -> Tally:
    """Tell everybody who is to be told that a date has moved."""
    topic = outbox.topic_of(MessageKind.DEADLINE_MOVED)

    def claim(connection: Connection) -> Claim:
        return claim_moved(connection, moved, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)

    return claim_and_deliver(outbox, MessageKind.DEADLINE_MOVED, claim, calendar, now=now)


def send_session_notices(outbox: Outbox, kind: MessageKind, calendar: Calendar, *, now: datetime) -> Tally:
    """Send every notice of this kind that is owed."""
    topic = outbox.topic_of(kind)

    def claim(connection: Connection) -> Claim:
        return claim_session_notices(connection, kind, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)

    return claim_and_deliver(outbox, kind, claim, calendar, now=now)
