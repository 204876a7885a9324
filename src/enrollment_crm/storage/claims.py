"""Claiming: the one way in which a due message enters the ledger.

A claim writes the covers first, under the unique key of R5, and then the message for those that were new. So two
workers, two schedulers or a task that runs twice can never both have the message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, insert, literal, null, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import MESSAGE_IDS, CoverRow, MessageRow, PersonRow

#: The columns of R5's key beside person and kind.
KEY_COLUMNS = (
    "program",
    "entry_term",
    "round",
    "stated_date",
    "prep_session_id",
    "session_starts",
    "offset",
)

#: What a statement of due rows selects: one row a cover, ``message_id`` the same for covers that share a message.
DUE_COLUMNS = ("message_id", "person_id", "due_at", "withheld")
#: What it may select besides: the cover's own ``kind``, where it differs from row to row, and ``catch_up``.
OPTIONAL_COLUMNS = ("kind", "catch_up")


@dataclass(frozen=True)
class DueCount:
    """What is due and not settled yet, and how much of it would go out now; the rest would be recorded as withheld."""

    unsettled: int
    to_send: int


@dataclass(frozen=True)
class Claim:
    """What one claim did: covers settled (claimed or withheld), and the messages that are now this worker's."""

    settled: int
    withheld: int
    message_ids: tuple[int, ...]


def claim_due(
    connection: Connection,
    due: Select[*tuple[Any, ...]],
    *,
    kind: MessageKind,
    lease: timedelta,
    now: datetime,
) -> Claim:
    """Write the covers of the due rows and the messages of those that are new and not withheld.

    Args:
        due: selects ``DUE_COLUMNS`` and the ``KEY_COLUMNS`` that this kind has.
        lease: how long the messages belong to this worker, by the database's clock.
    """
    rows = due.subquery("due")
    keys = [column for column in (*KEY_COLUMNS, "catch_up") if column in rows.c]
    covered = select(
        rows.c.person_id,
        rows.c.kind if "kind" in rows.c else literal(kind.value),
        *(rows.c[key] for key in keys),
        rows.c.due_at,
        case((rows.c.withheld.is_(None), rows.c.message_id), else_=null()),
        rows.c.withheld,
        rows.c.withheld.is_not_distinct_from(WithholdReason.SUPERSEDED.value),
        literal(now, CoverRow.recorded_at.type),
    )
    columns = ["person_id", "kind", *keys, "due_at", "message_row_id", "withheld", "released", "recorded_at"]
    written = connection.execute(
        insert_or_ignore(CoverRow)
        .from_select(columns, covered)
        .on_conflict_do_nothing()
        .returning(CoverRow.message_row_id)
    ).scalars()
    settled = list(written)
    message_ids = sorted({one for one in settled if one is not None})
    _write_messages(connection, message_ids, lease=lease, now=now)
    return Claim(len(settled), settled.count(None), tuple(message_ids))


def claim_some(
    connection: Connection,
    owed: Select[*tuple[Any, ...]],
    *,
    kind: MessageKind,
    limit: int,
    lease: timedelta,
    now: datetime,
) -> Claim:
    """Claim up to ``limit`` of the owed rows, one message each; people whom another worker holds are left to it.

    Args:
        owed: selects from the people's table, without ``message_id``.
    """
    chosen = owed.with_only_columns(PersonRow.id).limit(limit).with_for_update(of=PersonRow, skip_locked=True)
    ours = sorted(set(connection.execute(chosen).scalars()))
    if not ours:
        return Claim(0, 0, ())
    # Read again now that they are ours: what was withdrawn while we waited for the lock is seen by this statement only.
    mine = owed.where(PersonRow.id == func.any(ours)).cte("mine")
    due = select(MESSAGE_IDS.next_value().label("message_id"), *mine.c)
    return claim_due(connection, due, kind=kind, lease=lease, now=now)


def _write_messages(connection: Connection, ids: Sequence[int], *, lease: timedelta, now: datetime) -> None:
    if not ids:
        return
    ours = (
        select(
            CoverRow.message_row_id,
            CoverRow.person_id,
            CoverRow.kind,
            CoverRow.due_at,
            literal(MessageState.CLAIMED.value),
            func.clock_timestamp() + lease,
            literal(now, MessageRow.claimed_at.type),
        )
        .where(CoverRow.message_row_id == func.any(list(ids)))
        # By id, not by whole rows: the clock has moved on between two covers of one message. The first kind by name
        # is the message's: an invitation goes along with a deadline reminder (R8).
        .ext(distinct_on(CoverRow.message_row_id))
        .order_by(CoverRow.message_row_id, CoverRow.kind)
    )
    columns = ["id", "person_id", "kind", "due_at", "state", "lease_until", "claimed_at"]
    connection.execute(insert(MessageRow).from_select(columns, ours))


#: Key columns that a statement of due rows can have as NULL; of the others an index can find the cover.
_CAN_BE_NULL = frozenset({"program", "entry_term"})


def _is_same(covered: Any, key: Mapping[str, Any], column: str) -> ColumnElement[bool]:
    if column not in key:
        return cast("ColumnElement[bool]", covered.is_(None))
    same = covered.is_not_distinct_from(key[column]) if column in _CAN_BE_NULL else covered == key[column]
    return cast("ColumnElement[bool]", same)


def not_yet_covered(kind: MessageKind, person_id: Any, **key: Any) -> ColumnElement[bool]:
    """SQL: no cover with this key exists. Keys that are not given are NULL in it."""
    same = [_is_same(CoverRow.__table__.c[column], key, column) for column in KEY_COLUMNS]
    covered = select(1).where(
        CoverRow.person_id == person_id, CoverRow.kind == kind.value, ~CoverRow.released, and_(*same)
    )
    # Correlated by name: inside another subquery SQLAlchemy would take a second copy of the outer tables.
    return ~exists(covered.correlate_except(CoverRow))
