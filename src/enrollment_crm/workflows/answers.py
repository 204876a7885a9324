"""Answers: welcomes and receipts go out as soon as they are owed."""

from datetime import datetime

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.answers import claim_owed_answers, count_owed_answers
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import cancelled_prep_sessions_after, prep_sessions_after
from enrollment_crm.storage.unfinished import is_any_unfinished
from enrollment_crm.workflows.composition import Calendar
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM, Tally, deliver, resume
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
    tally = _resume(outbox, kind, now)
    while True:
        with transaction(outbox.engine) as connection:
            claim = claim_owed_answers(connection, kind, topic=topic, limit=PEOPLE_A_CLAIM, lease=outbox.lease, now=now)
        if not claim.settled:
            return tally
        tally.add_withheld(claim.withheld)
        tally += deliver(outbox, claim.message_ids, calendar_at(outbox, now), now=now)


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
