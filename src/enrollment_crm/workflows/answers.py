"""Answers: welcomes and receipts go out as soon as they are owed."""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.tally import Tally
from enrollment_crm.storage.answers import claim_owed_answers, count_owed_answers
from enrollment_crm.storage.claims import Claim
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import cancelled_prep_sessions_after, prep_sessions_after
from enrollment_crm.storage.unfinished import is_any_unfinished
from enrollment_crm.workflows.campaigns import stop_of
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, claim, deliver, resume
from enrollment_crm.workflows.outbox import Outbox


def send_answers(outbox: Outbox, kind: MessageKind, *, now: datetime, dry_run: bool = False) -> Tally:
    """Send every welcome or receipt that is owed, and bring earlier ones to an end.

    A dry run counts what would go out, as ``planned``, and sends nothing.
    """
    check_aware(now)
    topic = outbox.topic_of(kind)
    if dry_run:
        with transaction(outbox.engine) as connection:
            return Tally.of_planned(count_owed_answers(connection, kind, topic=topic).to_send)
    if stop_of(outbox.engine, kind):
        with transaction(outbox.engine) as connection:
            return Tally.of_held(count_owed_answers(connection, kind, topic=topic).to_send)
    tally, ask = _resume(outbox, kind, now), partial(_claim, outbox, kind, now)
    while (claimed := claim(outbox, kind, ask)).settled:
        tally.add_withheld(claimed.withheld)
        tally += deliver(outbox, claimed.messages, calendar_at(outbox, now), now=now)
    return tally


def _claim(outbox: Outbox, kind: MessageKind, now: datetime, connection: Connection) -> Claim:
    topic = outbox.topic_of(kind)
    return claim_owed_answers(connection, kind, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)


def _resume(outbox: Outbox, kind: MessageKind, now: datetime) -> Tally:
    with transaction(outbox.engine) as connection:
        waits = is_any_unfinished(connection, kind)
    return resume(outbox, kind, calendar_at(outbox, now), now=now) if waits else Tally()


def calendar_at(outbox: Outbox, now: datetime) -> Calendar:
    """The deadlines in force and the sessions ahead at this instant, and those that were to be."""
    with transaction(outbox.engine) as connection:
        return Calendar(
            deadlines_in_force(connection),
            prep_sessions_after(connection, now),
            cancelled_prep_sessions_after(connection, now),
        )
