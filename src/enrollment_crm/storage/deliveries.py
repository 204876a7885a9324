"""Deliveries: what each source gave at one time, by count, so that no row is missing in the sums."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, literal, select, text, update

from enrollment_crm.domain.encodings import assumed_in_words
from enrollment_crm.storage.models import BatchRow, DeliveryRow


@dataclass(frozen=True)
class DeliveryCounts:
    """What a delivery came to: rows read = new + known, some of them damaged."""

    new: int
    known: int
    damaged: int = 0


def note_delivery(
    connection: Connection, counts: DeliveryCounts, *, source: str, kind: str, at: datetime, assumed_encoding: str = ""
) -> None:
    """Keep what a delivery came to. Call it in the transaction that keeps its rows.

    Args:
        assumed_encoding: what its text was taken for; empty: there is no doubt.
    """
    said = {"rows_read": counts.new + counts.known, "assumed_encoding": assumed_encoding, **asdict(counts)}
    connection.execute(insert(DeliveryRow).values(source=source, kind=kind, at=at, **said))


def tell_of_deliveries(connection: Connection, *, source: str, batch_id: int) -> None:
    """Give a batch the known rows that its source delivered since the batch before, and what was assumed of its texts.

    Each delivery is told of by one batch.
    """
    # Written out, so that the index of just these is of use whatever plan is kept.
    untold = text("batch_id IS NULL AND (known > 0 OR assumed_encoding <> '')")
    told = update(DeliveryRow).where(DeliveryRow.source == source, untold).values(batch_id=batch_id)
    deliveries = connection.execute(told.returning(DeliveryRow.known, DeliveryRow.assumed_encoding)).all()
    if deliveries:
        remark = assumed_in_words((one.assumed_encoding for one in deliveries), is_taken_in=True)
        values = {"duplicates": sum(one.known for one in deliveries), "remarks": _with_remark(remark)}
        connection.execute(update(BatchRow).where(BatchRow.id == batch_id).values(values))


def _with_remark(remark: str) -> ColumnElement[str]:
    return func.trim(BatchRow.remarks + literal(f" {remark}"))


def total_known(connection: Connection) -> int:
    """How many rows were delivered again, over all deliveries."""
    return int(connection.execute(select(func.coalesce(func.sum(DeliveryRow.known), 0))).scalar_one())
