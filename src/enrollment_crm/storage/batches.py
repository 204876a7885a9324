"""Batches: the rows that were judged together, the counts, and what was rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.batches import BatchStep, InboxOutcome, Severity
from enrollment_crm.storage.deliveries import tell_of_deliveries
from enrollment_crm.storage.inbox import settle_rows
from enrollment_crm.storage.literals import spelled_out
from enrollment_crm.storage.models import BatchRow, QuarantineRow, RuleCountRow

#: Any number that no other advisory lock of this database uses.
_LOADING_LOCK = 7_203_644_102


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that was not accepted: the rule, the canonical field and the reason in words."""

    inbox_id: int
    rule: str
    column: str
    reason: str


@dataclass(frozen=True)
class RuleTally:
    """How many rows one rule looked at, and how many failed it."""

    rule: str
    column: str
    evaluated: int
    failed: int
    severity: str = Severity.QUARANTINE.value


@dataclass(frozen=True)
class Ruling:
    """What is kept of a batch beside the fate of its rows."""

    step: BatchStep = BatchStep.VALIDATED
    #: Why it was stopped, or what was noticed, in sentences.
    remarks: str = ""
    #: What later batches are compared with; None: it is too small for that.
    profile: dict[str, Any] | None = field(default=None)
    #: Its rows come from the quarantine.
    is_replay: bool = False


def record_batch(
    connection: Connection,
    *,
    kind: str,
    accepted: Sequence[int],
    rejected: Sequence[QuarantinedRow],
    tallies: Sequence[RuleTally],
    now: datetime,
    source: str = "",
    ruling: Ruling | None = None,
) -> int:
    """Record a judged batch: its counts, the fate of each row, and the reasons. Gives the batch's id."""
    ruling = ruling or Ruling()
    batch_id = connection.execute(
        insert(BatchRow).returning(BatchRow.id),
        {
            "kind": kind,
            "source": source,
            "validated_at": now,
            "step": ruling.step.value,
            "remarks": ruling.remarks,
            "profile": ruling.profile,
            "is_replay": ruling.is_replay,
            "rows_in": len(accepted) + len(rejected),
            "accepted": len(accepted),
            "quarantined": len(rejected),
        },
    ).scalar_one()
    settle_rows(connection, accepted, batch_id=batch_id, outcome=InboxOutcome.ACCEPTED)
    quarantine_rows(connection, rejected, batch_id=batch_id, now=now)
    if source and not ruling.is_replay:
        tell_of_deliveries(connection, source=source, batch_id=batch_id)
    if tallies:
        connection.execute(insert(RuleCountRow), [{"batch_id": batch_id, **vars(tally)} for tally in tallies])
    return batch_id


def quarantine_rows(
    connection: Connection, rejected: Sequence[QuarantinedRow], *, batch_id: int, now: datetime
) -> None:
    """Put rows aside with their reasons; the raw row stays in the inbox. One that is there has its newest reason."""
    if not rejected:
        return
    settle_rows(connection, [row.inbox_id for row in rejected], batch_id=batch_id, outcome=InboxOutcome.QUARANTINED)
    statement = insert_or_update(QuarantineRow)
    new = {name: statement.excluded[name] for name in ("batch_id", "at", "rule", "column", "reason")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[QuarantineRow.inbox_id], set_=new),
        [{"batch_id": batch_id, "at": now, **vars(row)} for row in rejected],
    )


def next_batch_to_load(connection: Connection, *, kind: str) -> int | None:
    """The oldest validated batch, locked for this transaction; None where nothing waits or others hold it."""
    statement = (
        select(BatchRow.id)
        .where(BatchRow.kind == kind, BatchRow.step == spelled_out(BatchStep.VALIDATED))
        .order_by(BatchRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(statement).scalar_one_or_none()


def wait_for_other_loaders(connection: Connection) -> None:
    """Load alone until the transaction ends.

    A loader locks every person it meets, and a row without an address shows only then whose it is: no order of the
    rows would keep two loaders from waiting for each other.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_LOADING_LOCK)))


def finish_batch(connection: Connection, batch_id: int, *, rejected_while_loading: int) -> None:
    """Mark a batch as loaded; rows that turned out unusable move from accepted to quarantined."""
    connection.execute(
        update(BatchRow)
        .where(BatchRow.id == batch_id)
        .values(
            step=BatchStep.LOADED.value,
            accepted=BatchRow.accepted - rejected_while_loading,
            quarantined=BatchRow.quarantined + rejected_while_loading,
        )
    )
