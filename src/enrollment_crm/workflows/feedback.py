"""Feedback: what mail systems and readers say of messages, each thing once (R7)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.bounces import Bounce, BounceClass, class_of_bounce, why_dead
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.feedback import Feedback, FeedbackKind, state_after
from enrollment_crm.domain.suppressions import SuppressionReason
from enrollment_crm.storage.consent import unsubscribe_person
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.feedback import (
    ReportedMessage,
    message_of_report,
    record_bounce,
    record_complaint,
    record_reported_state,
)
from enrollment_crm.storage.message_events import add_message_event
from enrollment_crm.storage.people import record_of_address, records_up_from
from enrollment_crm.storage.suppressions import suppress_person
from enrollment_crm.storage.withholding import EVERY_TOPIC

#: What a count says of feedback that changed nothing.
REPEATED, UNKNOWN_MESSAGE = "repeated", "unknown_message"
#: Beside ``bounced``: addresses that are on the list because of it, and refusals by the receiver's policy.
SUPPRESSED, REFUSED_BY_POLICY = "suppressed", "refused_by_policy"


def take_feedback(connection: Connection, feedback: Feedback) -> Counter[str]:
    """Take one thing in, once, in the caller's transaction; gives what came of it, as counts.

    A message that the ledger does not have is counted and changes nothing.
    """
    message = message_of_report(connection, feedback.message_id)
    if message is None:
        return Counter({UNKNOWN_MESSAGE: 1})
    if not is_new(connection, Fact(feedback.source, feedback.fact_id, feedback.at)):
        return Counter({REPEATED: 1})
    feedback = replace(feedback, at=max(feedback.at, message.claimed_at))
    add_message_event(
        connection,
        message.id,
        feedback.kind.value,
        at=feedback.at,
        source=feedback.source,
        status=feedback.status,
        detail=feedback.detail,
    )
    reached = state_after(message.state, feedback.kind)
    if reached is not message.state:
        record_reported_state(connection, message, reached, at=feedback.at)
    return Counter({feedback.kind.value: 1}) + _what_follows(connection, message, feedback)


def _what_follows(connection: Connection, message: ReportedMessage, feedback: Feedback) -> Counter[str]:
    person_id, at = message.person_id, feedback.at
    match feedback.kind:
        case FeedbackKind.BOUNCED:
            return _bounced(connection, message, feedback)
        case FeedbackKind.COMPLAINED:
            listed = complain(connection, person_id, at=at, by=feedback.source, message_row_id=message.id)
            return Counter({SUPPRESSED: int(listed)})
        case FeedbackKind.OPTED_OUT:
            for one in records_up_from(connection, person_id):
                unsubscribe_person(connection, person_id=one, topic=EVERY_TOPIC, at=at)
    return Counter()


def _bounced(connection: Connection, message: ReportedMessage, feedback: Feedback) -> Counter[str]:
    bounce = Bounce(feedback.status, feedback.at)
    if class_of_bounce(bounce.status) is BounceClass.POLICY:
        return Counter({REFUSED_BY_POLICY: 1})
    listed = _suppress_if_dead(
        connection, bounce, person_id=message.person_id, by=feedback.source, message_row_id=message.id
    )
    return Counter({SUPPRESSED: int(listed)})


def _suppress_if_dead(
    connection: Connection, bounce: Bounce, *, person_id: int, by: str, message_row_id: int | None = None
) -> bool:
    reason = why_dead(record_bounce(connection, bounce, person_id=person_id, message_row_id=message_row_id))
    if reason is None:
        return False
    why = f"the last one: {bounce.status}"
    return suppress_person(connection, person_id, reason, at=bounce.at, by=by, why=why, message_row_id=message_row_id)


def complain(
    connection: Connection, person_id: int, *, at: datetime, by: str, message_row_id: int | None = None
) -> bool:
    """A complaint is the person's and the address's: neither is written to any more, until staff lift it (R7).

    Of a record that was merged away it is the person's that it was merged into as well.
    """
    for one in records_up_from(connection, person_id):
        record_complaint(connection, person_id=one, at=at)
    return suppress_person(
        connection, person_id, SuppressionReason.COMPLAINT, at=at, by=by, why="", message_row_id=message_row_id
    )


def take_bounce(engine: Engine, email: str, status: str, *, fact: Fact) -> None:
    """A message to this address came back; a hard bounce, or three soft ones in two weeks, end all writing to it."""
    with transaction(engine) as connection:
        record = record_of_address(connection, address_key(email))
        if record is not None and is_new(connection, fact):
            _suppress_if_dead(connection, Bounce(status, fact.at), person_id=record, by=fact.source)


def take_complaint(engine: Engine, email: str, *, fact: Fact) -> None:
    """The reader at this address reported a message as spam."""
    with transaction(engine) as connection:
        record = record_of_address(connection, address_key(email))
        if record is not None and is_new(connection, fact):
            complain(connection, record, at=fact.at, by=fact.source)


def take_unsubscription(engine: Engine, email: str, *, fact: Fact, topic: str = EVERY_TOPIC) -> None:
    """The reader at this address wants nothing more of a topic."""
    with transaction(engine) as connection:
        record = record_of_address(connection, address_key(email))
        if record is not None and is_new(connection, fact):
            for one in records_up_from(connection, record):
                unsubscribe_person(connection, person_id=one, topic=topic, at=fact.at)


def total(counts: Iterable[Counter[str]]) -> dict[str, int]:
    """Counts added up, without zeros."""
    added: Counter[str] = Counter()
    for one in counts:
        added.update(one)
    return {name: number for name, number in sorted(added.items()) if number}
