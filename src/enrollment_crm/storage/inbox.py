"""The inbox: raw rows as they arrived, each kept once."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.storage.deliveries import note_delivery
from enrollment_crm.storage.models import InboxRow

#: Channel on which the inbox tells listeners that a row arrived; the payload is the kind of row.
CHANNEL = "crm_inbox"


@dataclass(frozen=True)
class RawRow:
    """A raw row of the inbox."""

    id: int
    source: str
    received_at: datetime
    raw: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """How many rows were new, and how many had been delivered before."""

    new: int
    known: int


def keep_raw_rows(
    connection: Connection,
    rows: Iterable[Mapping[str, Any]],
    *,
    source: str,
    kind: str,
    received_at: datetime,
) -> Kept:
    """Keep rows as they came; a row that this source delivered before is recognised and not kept again."""
    values = [
        {"source": source, "kind": kind, "received_at": received_at, "raw": raw, "digest": digest_of(raw)}
        for raw in rows
    ]
    if not values:
        return Kept(0, 0)
    statement = insert_or_ignore(InboxRow).on_conflict_do_nothing().returning(InboxRow.id)
    new = len(connection.execute(statement, values).all())
    if new:
        connection.execute(text("SELECT pg_notify(:channel, :kind)"), {"channel": CHANNEL, "kind": kind})
    return Kept(new=new, known=len(values) - new)


def digest_of(raw: Mapping[str, Any]) -> str:
    """Identity of a raw row: the same keys and values give the same digest, in whatever order."""
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def pending_rows(connection: Connection, *, kind: str, limit: int) -> list[RawRow]:
    """Rows that wait for validation, oldest first, locked for this transaction; rows of another worker are left out."""
    statement = (
        select(InboxRow.id, InboxRow.source, InboxRow.received_at, InboxRow.raw)
        .where(InboxRow.kind == kind, InboxRow.outcome == InboxOutcome.PENDING)
        .order_by(InboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [RawRow(*row) for row in connection.execute(statement)]


def accepted_rows(connection: Connection, *, batch_id: int) -> list[RawRow]:
    """The accepted rows of a batch, oldest first."""
    statement = (
        select(InboxRow.id, InboxRow.source, InboxRow.received_at, InboxRow.raw)
        .where(InboxRow.batch_id == batch_id, InboxRow.outcome == InboxOutcome.ACCEPTED)
        .order_by(InboxRow.id)
    )
    return [RawRow(*row) for row in connection.execute(statement)]


def settle_rows(connection: Connection, ids: Iterable[int], *, batch_id: int, outcome: InboxOutcome) -> None:
    """Record what became of rows."""
    statement = update(InboxRow).where(InboxRow.id == func.any(list(ids)))
    connection.execute(statement.values(batch_id=batch_id, outcome=outcome.value))


def count_pending(connection: Connection, *, kind: str) -> int:
    """How many rows wait for validation."""
    statement = select(func.count()).where(InboxRow.kind == kind, InboxRow.outcome == InboxOutcome.PENDING)
    return connection.execute(statement).scalar_one()


def keep_one_row(
    connection: Connection, raw: Mapping[str, Any], *, source: str, kind: str, received_at: datetime
) -> int:
    """Keep one row as a delivery of its own and give its id: the one it already had, where it was delivered before."""
    kept = keep_raw_rows(connection, [raw], source=source, kind=kind, received_at=received_at)
    note_delivery(connection, source=source, kind=kind, at=received_at, new=kept.new, known=kept.known)
    statement = select(InboxRow.id).where(InboxRow.source == source, InboxRow.digest == digest_of(raw))
    return connection.execute(statement).scalar_one()
