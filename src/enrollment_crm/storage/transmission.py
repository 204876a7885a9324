"""Transmission in the ledger: messages are frozen together before the first of them leaves, and accepted together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Integer,
    Interval,
    LargeBinary,
    TableValuedAlias,
    Text,
    bindparam,
    case,
    column,
    func,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

from enrollment_crm.domain.ledger import TAKEN_BY_RELAY, ClaimedMessage, MessageState
from enrollment_crm.storage.models import MessageRow
from enrollment_crm.storage.models.compression import compressed

#: What a report makes of a message before its worker has recorded the relay's answer.
_REPORTED_BEFORE = sorted(one.value for one in TAKEN_BY_RELAY - {MessageState.ACCEPTED})


@dataclass(frozen=True)
class FrozenMessage:
    """A message and the bytes that it is frozen with. pii: the bytes hold the person's name and address."""

    message: ClaimedMessage
    message_id: str
    content: bytes
    #: Version of the template that the bytes were made of; None: at an earlier attempt, which recorded it.
    template_version: str | None


def _rows_of(name: str, **columns: tuple[str, TypeEngine[Any]]) -> TableValuedAlias:
    """A few messages as rows, each column one array: one statement for all, whatever their number."""
    arrays = [bindparam(array, type_=ARRAY(kind)) for array, kind in columns.values()]
    rows = func.unnest(*arrays).table_valued(*(column(one, kind) for one, (_, kind) in columns.items()))
    return rows.render_derived(name)


def _begin_statement() -> ReturningUpdate[int]:
    rows = _rows_of(
        "frozen",
        id=("ids", BigInteger()),
        token=("tokens", Integer()),
        message_id=("message_ids", Text()),
        # Counted from one, as SQL does.
        begins=("beginnings", Integer()),
        length=("lengths", Integer()),
        sha256=("hashes", Text()),
        version=("versions", Text()),
    )
    # All contents as one value: it travels as it is, where an array of them would be escaped byte by byte.
    contents = bindparam("contents", type_=LargeBinary())
    return (
        update(MessageRow)
        .where(
            MessageRow.id == rows.c.id,
            MessageRow.token == rows.c.token,
            MessageRow.state == MessageState.CLAIMED.value,
            MessageRow.lease_until > func.clock_timestamp(),
        )
        .values(
            state=MessageState.TRANSMITTING.value,
            lease_until=func.clock_timestamp() + bindparam("lease", type_=Interval()),
            attempts=MessageRow.attempts + 1,
            transmitting_at=func.clock_timestamp(),
            message_id=rows.c.message_id,
            content=func.substr(contents, rows.c.begins, rows.c.length),
            content_sha256=rows.c.sha256,
            template_version=func.coalesce(MessageRow.template_version, rows.c.version),
        )
        .returning(MessageRow.id)
    )


def _accept_statement() -> ReturningUpdate[int]:
    unsettled = [MessageState.CLAIMED.value, MessageState.TRANSMITTING.value]
    rows = _rows_of("accepted", id=("ids", BigInteger()), token=("tokens", Integer()), reply=("replies", Text()))
    return (
        update(MessageRow)
        .where(
            MessageRow.id == rows.c.id,
            MessageRow.token == rows.c.token,
            MessageRow.state.in_([*unsettled, *_REPORTED_BEFORE]),
        )
        .values(
            # A report of it that was read before this keeps the state: it tells what came after.
            state=case((MessageRow.state.in_(unsettled), MessageState.ACCEPTED.value), else_=MessageRow.state),
            accepted_at=func.least(MessageRow.accepted_at, bindparam("now", type_=MessageRow.accepted_at.type)),
            outcome=rows.c.reply,
            lease_until=None,
        )
        .returning(MessageRow.id)
    )


#: Put together once: for every group anew, that was a sixth of what a worker did.
_BEGIN, _ACCEPT = _begin_statement(), _accept_statement()


def begin_transmissions(connection: Connection, frozen: Sequence[FrozenMessage], *, lease: timedelta) -> frozenset[int]:
    """Freeze the bytes of a few messages and record that the first of them may leave; the lease begins anew.

    Gives the ids of those that are still ours: the others have another owner, or will have one soon.
    """
    stored = [compressed(one.content) for one in frozen]
    lengths = [len(one) for one in stored]
    values = {
        "ids": [one.message.id for one in frozen],
        "tokens": [one.message.token for one in frozen],
        "message_ids": [one.message_id for one in frozen],
        "beginnings": [1, *(1 + end for end in accumulate(lengths[:-1]))],
        "lengths": lengths,
        "hashes": [hashlib.sha256(one.content).hexdigest() for one in frozen],
        "versions": [one.template_version for one in frozen],
        "contents": b"".join(stored),
        "lease": lease,
    }
    return frozenset(connection.execute(_BEGIN, values).scalars())


def record_accepted(
    connection: Connection, accepted: Sequence[tuple[ClaimedMessage, str]], *, now: datetime
) -> frozenset[int]:
    """The relay has these messages: it answered so, or its log says so.

    Gives the ids of those that no other worker settled meanwhile.
    """
    values = {
        "ids": [message.id for message, _ in accepted],
        "tokens": [message.token for message, _ in accepted],
        "replies": [reply for _, reply in accepted],
        "now": now,
    }
    return frozenset(connection.execute(_ACCEPT, values).scalars())
