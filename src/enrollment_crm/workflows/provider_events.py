"""Events of the mail provider: kept raw in the inbox when they arrive, taken in here, in order of arrival."""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.feedback import Feedback, FeedbackRecord
from enrollment_crm.mail.provider_events import EventUnreadable, read_provider_event
from enrollment_crm.storage.batches import QuarantinedRow, finish_batch, record_batch
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import RawRow, pending_rows
from enrollment_crm.workflows.feedback import UNKNOWN_MESSAGE, take_feedback, total

_EVENTS_A_TRANSACTION = 200
_NOTHING = "nothing"


def take_provider_events(engine: Engine, *, mail_domain: str, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Take in every event that waits; what cannot be read, or is about no message of ours, goes to the quarantine."""
    counts: list[Counter[str]] = []
    while True:
        with transaction(engine, dry_run=dry_run) as connection:
            rows = pending_rows(connection, kind=FeedbackRecord.MAIL_EVENT.value, limit=_EVENTS_A_TRANSACTION)
            if rows:
                counts.append(_take(connection, rows, mail_domain=mail_domain, now=now))
        if not rows or dry_run:  # what a dry run has judged waits on
            return total(counts)


def _take(connection: Connection, rows: list[RawRow], *, mail_domain: str, now: datetime) -> Counter[str]:
    counts, rejected = Counter({"events": len(rows)}), list[QuarantinedRow]()
    for row in rows:
        try:
            feedback = _feedback_of(row, mail_domain)
        except EventUnreadable as error:
            rejected.append(QuarantinedRow(row.id, "provider_event", "", str(error)))
            continue
        came_of_it = take_feedback(connection, feedback) if feedback else Counter({_NOTHING: 1})
        counts += came_of_it
        if UNKNOWN_MESSAGE in came_of_it:
            reason = "The ledger has no message with this Message-ID: it was sent by somebody else, or from elsewhere."
            rejected.append(QuarantinedRow(row.id, "known_message", "", reason))
    refused = {one.inbox_id for one in rejected}
    accepted = [row.id for row in rows if row.id not in refused]
    batch = record_batch(
        connection, kind=FeedbackRecord.MAIL_EVENT.value, accepted=accepted, rejected=rejected, tallies=[], now=now
    )
    finish_batch(connection, batch, rejected_while_loading=0)
    return counts + Counter({"quarantined": len(rejected)})


def _feedback_of(row: RawRow, mail_domain: str) -> Feedback | None:
    return read_provider_event(row.raw, source=row.source, mail_domain=mail_domain, received_at=row.received_at)
