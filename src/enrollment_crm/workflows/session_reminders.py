"""Reminders of prep sessions: found and sent to those who registered (R10)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.session_reminders import DueSession, due_sessions
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.tally import Tally
from enrollment_crm.storage.claims import Claim, DueCount
from enrollment_crm.storage.prep_sessions import prep_sessions_after
from enrollment_crm.storage.session_reminders import claim_due_registrations, count_due_registrations
from enrollment_crm.workflows.cells import CalendarView, missed_span, on_time
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, claim_and_deliver
from enrollment_crm.workflows.outbox import Outbox


def find_sessions(connection: Connection, outbox: Outbox, view: CalendarView) -> list[tuple[DueSession, DueCount]]:
    """The session points that are due now, or were missed, with their people."""
    topic = outbox.topic_of(MessageKind.SESSION_REMINDER)
    found = sessions_due(connection, outbox, view)
    return [(one, count_due_registrations(connection, one, topic=topic)) for one in found]


def sessions_due(connection: Connection, outbox: Outbox, view: CalendarView) -> list[DueSession]:
    """The session points that are due now, or were missed."""
    due = on_time(outbox, view.now)
    missed = missed_span(view, outbox, Sweep.SESSIONS) or Span(due.after, due.after)
    sessions = prep_sessions_after(connection, missed.after)
    return due_sessions(sessions, outbox.cadences.default, missed=missed, due=due)


def send_session(outbox: Outbox, due: DueSession, calendar: Calendar, *, now: datetime) -> Tally:
    """Claim and send one session point to its end; nothing, where the session was moved or cancelled since then."""
    topic = outbox.topic_of(MessageKind.SESSION_REMINDER)
    if due.withheld is None and not _still_stands(due, calendar.prep_sessions):
        return Tally()

    def claim(connection: Connection) -> Claim:
        return claim_due_registrations(connection, due, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)

    return claim_and_deliver(outbox, MessageKind.SESSION_REMINDER, claim, calendar, now=now)


def _still_stands(due: DueSession, sessions: Iterable[PrepSession]) -> bool:
    """Whether the session takes place, and begins when it did as the point was found."""
    return any((one.id, one.starts) == (due.prep_session.id, due.prep_session.starts) for one in sessions)
