"""The ledger of two records that become one person, or two again: nobody gets a message twice by it."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore
from sqlalchemy.orm import aliased

from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.claims import KEY_COLUMNS
from enrollment_crm.storage.models import CoverRow, MessageRow
from enrollment_crm.storage.unfinished import UNSENT

_KEY = ("kind", *KEY_COLUMNS)
_COPIED = (*_KEY, "due_at", "recorded_at")
#: Its reader never had it.
_NEVER_SENT = [
    *UNSENT, MessageState.FAILED.value, MessageState.WITHHELD.value, MessageState.BOUNCED.value
]  # fmt: skip


def unite_ledger(connection: Connection, *, gone: int, stays: int) -> None:
    """What one of the two has been sent is not sent again; their own addresses differ, and so both may have had it."""
    _copy_sent(connection, of=gone, to=stays)


def divide_ledger(connection: Connection, *, gone: int, stays: int, merged_at: datetime) -> None:
    """What went out while they were one was for both. What only the other had before is this one's key again."""
    theirs = aliased(CoverRow)
    had = select(1).where(theirs.person_id == gone, theirs.message_row_id.is_not(None), _is_same(theirs))
    copies = update(CoverRow).where(
        CoverRow.person_id == stays,
        CoverRow.withheld == WithholdReason.ALREADY_SENT.value,
        exists(had.correlate(CoverRow)),
    )
    connection.execute(copies.values(released=True))
    _copy_sent(connection, of=stays, to=gone, since=merged_at)


def _copy_sent(connection: Connection, *, of: int, to: int, since: datetime | None = None) -> None:
    """Record as already sent to one what was sent to the other."""
    theirs = aliased(CoverRow)
    known = exists(select(1).where(theirs.person_id == to, ~theirs.released, _is_same(theirs)).correlate(CoverRow))
    sent = (
        select(
            literal(to),
            literal(WithholdReason.ALREADY_SENT.value),
            null(),
            *(getattr(CoverRow, name) for name in _COPIED),
        )
        .outerjoin(MessageRow, MessageRow.id == CoverRow.message_row_id)
        .where(CoverRow.person_id == of, _was_sent(), ~CoverRow.released, ~known)
    )
    if since is not None:
        sent = sent.where(CoverRow.recorded_at >= since)
    columns = ["person_id", "withheld", "message_row_id", *_COPIED]
    connection.execute(insert_or_ignore(CoverRow).from_select(columns, sent).on_conflict_do_nothing())


def _is_same(theirs: type[CoverRow]) -> ColumnElement[bool]:
    return and_(*(getattr(theirs, key).is_not_distinct_from(getattr(CoverRow, key)) for key in _KEY))


def _was_sent() -> ColumnElement[bool]:
    return or_(MessageRow.state.not_in(_NEVER_SENT), CoverRow.withheld == WithholdReason.ALREADY_SENT.value)
