"""Deliveries: what each source gave at one time, by count, so that no row is missing in the sums."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from enrollment_crm.storage.models import BatchRow, DeliveryRow


def note_delivery(
    connection: Connection, *, source: str, kind: str, at: datetime, new: int, known: int, damaged: int = 0
) -> None:
    """Keep what a delivery came to: rows read = new + known. Call it in the transaction that keeps its rows."""
    counts = {"rows_read": new + known, "new": new, "known": known, "damaged": damaged}
    connection.execute(insert(DeliveryRow).values(source=source, kind=kind, at=at, **counts))


def count_duplicates(connection: Connection, *, source: str, batch_id: int) -> int:
    """Give a batch the known rows that its source delivered since the batch before; each is counted by one batch."""
    uncounted = (DeliveryRow.source == source, DeliveryRow.batch_id.is_(None), DeliveryRow.known > 0)
    counted = update(DeliveryRow).where(*uncounted).values(batch_id=batch_id).returning(DeliveryRow.known)
    duplicates = sum(connection.execute(counted).scalars())
    if duplicates:
        connection.execute(update(BatchRow).where(BatchRow.id == batch_id).values(duplicates=duplicates))
    return duplicates


def total_known(connection: Connection) -> int:
    """How many rows were delivered again, over all deliveries."""
    return int(connection.execute(select(func.coalesce(func.sum(DeliveryRow.known), 0))).scalar_one())
