"""Tombstones: who was erased, as HMACs; and the turns that erasing and taking in rows take."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.batches import BatchStep, InboxOutcome
from enrollment_crm.storage.inbox import settle_rows
from enrollment_crm.storage.models import BatchRow, InboxRow, PersonReferenceRow, PersonRow, TombstoneRow

#: Any number that no other advisory lock of this database uses.
_ERASING_LOCK = 7_203_644_103


def erase_alone(connection: Connection) -> None:
    """Nobody judges or loads rows until this transaction ends: a row is judged before the erasure, which finds it, or
    after it, when its tombstone is there.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_ERASING_LOCK)))


def nothing_is_erased_meanwhile(connection: Connection) -> None:
    """Nobody erases until this transaction ends. Any number may judge and load side by side."""
    connection.execute(select(func.pg_advisory_xact_lock_shared(_ERASING_LOCK)))


def set_tombstones(connection: Connection, keyed: Collection[str], *, at: datetime) -> None:
    """Remember an erasure; of several of one person the last counts."""
    if not keyed:
        return
    statement = insert_or_update(TombstoneRow).values([{"keyed": one, "erased_at": at} for one in sorted(keyed)])
    last = func.greatest(TombstoneRow.erased_at, statement.excluded.erased_at)
    connection.execute(statement.on_conflict_do_update(index_elements=[TombstoneRow.keyed], set_={"erased_at": last}))


def anybody_was_erased(connection: Connection) -> bool:
    """Whether there is any tombstone: without one, no row needs to be looked at."""
    return connection.execute(select(TombstoneRow.keyed).limit(1)).first() is not None


def erasures(connection: Connection, keyed: Collection[str]) -> dict[str, datetime]:
    """Tombstone -> when its person was erased, of those that are there."""
    statement = select(TombstoneRow.keyed, TombstoneRow.erased_at).where(TombstoneRow.keyed == func.any(sorted(keyed)))
    return {row.keyed: row.erased_at for row in connection.execute(statement)}


def addresses_in_use(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of the addresses under which somebody is known (again)."""
    statement = select(PersonRow.email_key).where(PersonRow.email_key == func.any(sorted(keys)))
    return set(connection.execute(statement.where(PersonRow.erased_at.is_(None))).scalars())


def references_in_use(connection: Connection, source: str, references: Collection[str]) -> set[str]:
    """Those of a source's references of people under which somebody is known (again)."""
    row = PersonReferenceRow
    statement = select(row.reference).where(row.source == source, row.reference == func.any(sorted(references)))
    return set(connection.execute(statement).scalars())


def settle_erased(connection: Connection, ids: Sequence[int], *, kind: str, now: datetime) -> None:
    """Empty rows of the erased that have just arrived, and count them as a batch of their own."""
    batch = {"kind": kind, "validated_at": now, "step": BatchStep.LOADED.value, "rows_in": len(ids)}
    counts = {"accepted": 0, "quarantined": 0, "erased": len(ids)}
    statement = insert(BatchRow).values({**batch, **counts}).returning(BatchRow.id)
    batch_id = connection.execute(statement).scalar_one()
    settle_rows(connection, ids, batch_id=batch_id, outcome=InboxOutcome.ERASED)
    connection.execute(update(InboxRow).where(InboxRow.id == func.any(list(ids))).values(raw={}))
