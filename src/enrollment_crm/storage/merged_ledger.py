"""The ledger of two records that become one person, or two again: nobody gets a message twice by it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore
from sqlalchemy.orm import aliased

from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.claims import KEY_COLUMNS
from enrollment_crm.storage.models import CoverRow, MessageRow
from enrollment_crm.storage.people import turn_interests
from enrollment_crm.storage.unfinished import UNSENT, withdraw

_KEY = ("kind", *KEY_COLUMNS)
_COPIED = (*_KEY, "due_at", "recorded_at")
#: Its reader never had it.
_NEVER_SENT = [
    *UNSENT, MessageState.FAILED.value, MessageState.WITHHELD.value, MessageState.BOUNCED.value
]  # fmt: skip


def unite_ledger(connection: Connection, *, gone: int, stays: int) -> None:
    """What one of the two has been sent is not sent again; their own addresses differ, and so both may have had it."""
    _withdraw_repeated(connection, of=stays, had_by=gone)
    _copy_sent(connection, of=gone, to=stays)


def _withdraw_repeated(connection: Connection, *, of: int, had_by: int) -> None:
    """What waits to be sent to one and says only what the other has had is withheld."""
    theirs, their_message = aliased(CoverRow), aliased(MessageRow)
    had = (
        select(1)
        .select_from(theirs)
        .outerjoin(their_message, their_message.id == theirs.message_row_id)
        .where(theirs.person_id == had_by, _was_sent(theirs, their_message), ~theirs.released, _is_same(theirs))
        .correlate(CoverRow)
    )
    says_more = exists(select(1).where(CoverRow.message_row_id == MessageRow.id, ~had.exists()).correlate(MessageRow))
    repeated = withdraw(connection, and_(MessageRow.person_id == of, ~says_more), WithholdReason.ALREADY_SENT)
    covers = update(CoverRow).where(CoverRow.message_row_id == func.any(repeated))
    connection.execute(covers.values(message_row_id=None, withheld=WithholdReason.ALREADY_SENT.value))


def divide_ledger(
    connection: Connection, *, gone: int, stays: int, others: Sequence[int], merged_at: datetime, at: datetime
) -> None:
    """What went out while they were one was for both. What was withheld only because they were is each one's key again.

    R6 applies to that: it was missed. What ``others`` have had, who are still merged into the one that stays, is not.
    """
    _free_copies(connection, gone=gone, stays=stays)
    for other in others:
        _copy_sent(connection, of=other, to=stays)
    _free_merged(connection, gone)
    _copy_sent(connection, of=stays, to=gone, since=merged_at)
    for one in (gone, stays):
        turn_interests(connection, person_id=one, at=at)


def _free_merged(connection: Connection, gone: int) -> None:
    """What was withheld from a record because another was written to instead."""
    withdrawn = select(MessageRow.id).where(
        MessageRow.person_id == gone, MessageRow.withheld == WithholdReason.MERGED.value
    )
    theirs = or_(CoverRow.withheld == WithholdReason.MERGED.value, CoverRow.message_row_id.in_(withdrawn))
    covers = update(CoverRow).where(CoverRow.person_id == gone, theirs, ~CoverRow.released)
    connection.execute(covers.values(released=True))


def _free_copies(connection: Connection, *, gone: int, stays: int) -> None:
    """What only the other had before they were one."""
    theirs = aliased(CoverRow)
    had = select(1).where(theirs.person_id == gone, theirs.message_row_id.is_not(None), _is_same(theirs))
    copies = update(CoverRow).where(
        CoverRow.person_id == stays,
        CoverRow.withheld == WithholdReason.ALREADY_SENT.value,
        exists(had.correlate(CoverRow)),
    )
    connection.execute(copies.values(released=True))


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
        .where(CoverRow.person_id == of, _was_sent(CoverRow, MessageRow), ~CoverRow.released, ~known)
    )
    if since is not None:
        sent = sent.where(CoverRow.recorded_at >= since)
    columns = ["person_id", "withheld", "message_row_id", *_COPIED]
    connection.execute(insert_or_ignore(CoverRow).from_select(columns, sent).on_conflict_do_nothing())


def _is_same(theirs: type[CoverRow]) -> ColumnElement[bool]:
    return and_(*(getattr(theirs, key).is_not_distinct_from(getattr(CoverRow, key)) for key in _KEY))


def _was_sent(cover: type[CoverRow], message: type[MessageRow]) -> ColumnElement[bool]:
    return or_(message.state.not_in(_NEVER_SENT), cover.withheld == WithholdReason.ALREADY_SENT.value)
