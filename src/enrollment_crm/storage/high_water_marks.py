"""High-water marks: how far each source was read, by its own clock."""

from datetime import datetime

from sqlalchemy import Connection, and_, select, true, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.storage.models import HighWaterMarkRow


def high_water_mark_of(connection: Connection, source: str) -> datetime | None:
    """The mark of a source; None: nothing was ever pulled of it."""
    return connection.scalar(select(HighWaterMarkRow.mark).where(HighWaterMarkRow.source == source))


def high_water_marks(connection: Connection) -> dict[str, datetime]:
    """The marks of all sources."""
    return dict(connection.execute(select(HighWaterMarkRow.source, HighWaterMarkRow.mark)).all())


def raise_high_water_mark(
    connection: Connection, source: str, mark: datetime, *, at: datetime, asked_from: datetime | None = None
) -> None:
    """Remember how far a source was read, in the transaction that keeps its rows; a mark never goes back by itself.

    Args:
        asked_from: the mark by which the source was asked. Where staff have lowered it meanwhile, theirs stays.
    """
    statement = insert_or_update(HighWaterMarkRow).values(source=source, mark=mark, moved_at=at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[HighWaterMarkRow.source],
            set_={"mark": statement.excluded.mark, "moved_at": statement.excluded.moved_at},
            where=and_(
                HighWaterMarkRow.mark < statement.excluded.mark,
                HighWaterMarkRow.mark >= asked_from if asked_from else true(),
            ),
        )
    )


def lower_high_water_mark(connection: Connection, source: str, mark: datetime, *, at: datetime) -> bool:
    """Let a source be asked from this instant on once more; False: it was not read so far."""
    lower = (HighWaterMarkRow.source == source) & (HighWaterMarkRow.mark > mark)
    statement = update(HighWaterMarkRow).where(lower).values(mark=mark, moved_at=at)
    return bool(connection.execute(statement.returning(HighWaterMarkRow.source)).first())
