"""The backlog: what waits for a task at this instant. Empty means that everybody has been treated."""

from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.answers import count_owed_answers
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.overview import count_unrouted, intake_totals
from enrollment_crm.storage.unfinished import count_unsettled
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import find_due


@dataclass(frozen=True)
class Backlog:
    """Counts of what waits, in the order of the road; what will be recorded as withheld waits too."""

    rows_to_validate: int
    batches_to_load: int
    people_to_route: int
    answers_to_send: int
    reminders_to_send: int
    #: Claimed, in transmission or to be tried again.
    messages_unsettled: int
    #: They wait for the applications feed, and not for a task.
    reminders_held: int = 0

    @property
    def total(self) -> int:
        """Zero: nothing waits."""
        return sum(vars(self).values())


def backlog(outbox: Outbox, *, now: datetime) -> Backlog:
    """What waits now.

    Looked at in the order of the road: what moves on meanwhile is counted twice, and never missed.
    """
    check_aware(now)
    with transaction(outbox.engine) as connection:
        intake, unrouted = intake_totals(connection), count_unrouted(connection)
        answers = sum(
            count_owed_answers(connection, kind, topic=outbox.topic_of(kind)).unsettled
            for kind in (MessageKind.WELCOME, MessageKind.APPLICATION_RECEIVED)
        )
    reminders = [due for due in find_due(outbox, now=now) if not due.unfinished]
    with transaction(outbox.engine) as connection:
        unsettled = count_unsettled(connection)
    return Backlog(
        rows_to_validate=intake.pending,
        batches_to_load=intake.not_loaded,
        people_to_route=unrouted,
        answers_to_send=answers,
        reminders_to_send=sum(due.people for due in reminders if not due.held),
        messages_unsettled=unsettled,
        reminders_held=sum(due.people for due in reminders if due.held),
    )
