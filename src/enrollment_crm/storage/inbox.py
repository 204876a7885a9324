"""The inbox: raw rows as they arrived, each kept once."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, DateTime, Row, Text, cast, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.storage.copying import staged
from enrollment_crm.storage.deliveries import DeliveryCounts, note_delivery
from enrollment_crm.storage.literals import spelled_out
from enrollment_crm.storage.models import InboxRow
from enrollment_crm.storage.raw_texts import texts_of_rows

#: Channel on which the inbox tells listeners that a row arrived; the payload is the kind of row.
CHANNEL = "crm_inbox"

#: Rows that are read, and sent to the database, together.
_ROWS_AT_ONCE = 20_000


class RawRow(NamedTuple):
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

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(self.new + other.new, self.known + other.known)


@dataclass(frozen=True)
class Portion:
    """Some rows of a delivery, as the database keeps them."""

    raws: list[str]
    digests: list[str]


def portions_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Portion]:
    """The rows as they are asked for, some at a time: a delivery may be more than fits into memory."""
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS_AT_ONCE)):
        texts = texts_of_rows(some)
        yield Portion([one.as_it_came for one in texts], [digest_of_text(one.sorted) for one in texts])


def keep_portions(
    connection: Connection, portions: Iterable[Portion], *, source: str, kind: str, received_at: datetime
) -> Kept:
    """Keep rows as they came; a row that this source delivered before is recognised and not kept again.

    All in the caller's transaction.
    """
    kept = Kept(0, 0)
    for one in portions:
        kept += _keep(connection, one, source=source, kind=kind, received_at=received_at)
    if kept.new:
        connection.execute(text("SELECT pg_notify(:channel, :kind)"), {"channel": CHANNEL, "kind": kind})
    return kept


def keep_raw_rows(
    connection: Connection,
    rows: Iterable[Mapping[str, Any]],
    *,
    source: str,
    kind: str,
    received_at: datetime,
) -> Kept:
    """Keep rows, like ``keep_portions``, as they come."""
    return keep_portions(connection, portions_of(rows), source=source, kind=kind, received_at=received_at)


def _keep(connection: Connection, portion: Portion, *, source: str, kind: str, received_at: datetime) -> Kept:
    values = {"raw": portion.raws, "digest": portion.digests}
    new = staged(connection, "delivered", {"raw": Text, "digest": Text}, values)
    at = literal(received_at, DateTime(timezone=True))
    rows_of_all = select(literal(source), literal(kind), at, cast(new.c.raw, JSON), new.c.digest)
    columns = ["source", "kind", "received_at", "raw", "digest"]
    statement = insert_or_ignore(InboxRow).from_select(columns, rows_of_all).on_conflict_do_nothing()
    written = connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    return Kept(written, len(portion.raws) - written)


def digest_of(raw: Mapping[str, Any]) -> str:
    """Identity of a raw row: the same keys and values give the same digest, in whatever order."""
    return digest_of_text(json.dumps(raw, sort_keys=True))


def digest_of_text(text: str) -> str:
    """The same of its JSON, with sorted keys."""
    return hashlib.sha256(text.encode()).hexdigest()


def pending_rows(connection: Connection, *, kind: str, limit: int) -> list[RawRow]:
    """Rows that wait for validation, oldest first, locked for this transaction; rows of another worker are left out."""
    statement = (
        select(InboxRow.id, InboxRow.source, InboxRow.received_at, cast(InboxRow.raw, Text).label("raw"))
        .where(InboxRow.kind == kind, InboxRow.outcome == spelled_out(InboxOutcome.PENDING))
        .order_by(InboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return _raw_rows(connection.execute(statement).all())


def accepted_rows(connection: Connection, *, batch_id: int) -> list[RawRow]:
    """The accepted rows of a batch, oldest first."""
    statement = (
        select(InboxRow.id, InboxRow.source, InboxRow.received_at, cast(InboxRow.raw, Text).label("raw"))
        .where(InboxRow.batch_id == batch_id, InboxRow.outcome == InboxOutcome.ACCEPTED)
        .order_by(InboxRow.id)
    )
    return _raw_rows(connection.execute(statement).all())


def _raw_rows(rows: Sequence[Row[int, str, datetime, str]]) -> list[RawRow]:
    """The JSON of all rows is read at once: that takes a fraction of reading it row by row."""
    raws = json.loads(f"[{','.join(row.raw for row in rows)}]")
    return [RawRow(row.id, row.source, row.received_at, raw) for row, raw in zip(rows, raws, strict=True)]


def settle_rows(connection: Connection, ids: Iterable[int], *, batch_id: int, outcome: InboxOutcome) -> None:
    """Record what became of rows."""
    statement = update(InboxRow).where(InboxRow.id == func.any(list(ids)))
    connection.execute(statement.values(batch_id=batch_id, outcome=outcome.value))


def count_pending(connection: Connection, *, kind: str) -> int:
    """How many rows wait for validation."""
    statement = select(func.count()).where(InboxRow.kind == kind, InboxRow.outcome == spelled_out(InboxOutcome.PENDING))
    return connection.execute(statement).scalar_one()


def keep_one_row(
    connection: Connection, raw: Mapping[str, Any], *, source: str, kind: str, received_at: datetime
) -> int:
    """Keep one row as a delivery of its own and give its id: the one it already had, where it was delivered before."""
    kept = keep_raw_rows(connection, [raw], source=source, kind=kind, received_at=received_at)
    note_delivery(connection, DeliveryCounts(kept.new, kept.known), source=source, kind=kind, at=received_at)
    statement = select(InboxRow.id).where(InboxRow.source == source, InboxRow.digest == digest_of(raw))
    return connection.execute(statement).scalar_one()
