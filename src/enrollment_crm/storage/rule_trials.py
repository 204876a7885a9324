"""Rows that rules are tried on: the newest that were accepted."""

from sqlalchemy import Connection, select

from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.storage.inbox import RawRow
from enrollment_crm.storage.models import BatchRow, InboxRow


def newest_accepted_rows(connection: Connection, *, kind: str, limit: int) -> list[RawRow]:
    """Newest first, without those that staff have corrected: they do not say what their source said."""
    statement = (
        select(InboxRow.id, InboxRow.source, InboxRow.received_at, InboxRow.raw)
        .join(BatchRow, BatchRow.id == InboxRow.batch_id)
        .where(InboxRow.kind == kind, InboxRow.outcome == InboxOutcome.ACCEPTED.value, ~BatchRow.is_replay)
        .order_by(InboxRow.id.desc())
        .limit(limit)
    )
    return [RawRow(*row) for row in connection.execute(statement)]
