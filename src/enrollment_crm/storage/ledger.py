"""The ledger: messages as their workers hold them, and the transitions of ``MessageState``.

Every transition names the token of the claim: a worker that has lost its lease changes nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    TableValuedAlias,
    Text,
    Update,
    case,
    column,
    func,
    literal,
    select,
    update,
)

from enrollment_crm.domain.bounces import enhanced_status
from enrollment_crm.domain.ledger import TAKEN_BY_RELAY, ClaimedMessage, Cover, MessageState, Reader
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.residency import Residency
from enrollment_crm.storage.message_events import add_message_event
from enrollment_crm.storage.models import CoverRow, MessageRow, PersonRow


def messages_with_readers(connection: Connection, ids: Sequence[int]) -> list[ClaimedMessage]:
    """The messages with everything that composing them needs, in the order of their ids."""
    if not ids:
        return []
    covers = _covers_of(connection, ids)
    person = PersonRow.__table__.c
    columns = [person[name] for name in ("email", "first_name", "last_name", "residency", "zone", "owner")]
    statement = (
        select(*MessageRow.__table__.c, *columns)
        .select_from(MessageRow)
        .join(PersonRow, PersonRow.id == MessageRow.person_id)
        .where(MessageRow.id == func.any(list(ids)))
        .order_by(MessageRow.id)
    )
    return [
        ClaimedMessage(
            id=row.id,
            kind=MessageKind(row.kind),
            token=row.token,
            due_at=row.due_at,
            attempts=row.attempts,
            refusals=row.refusals,
            reader=Reader(
                person_id=row.person_id,
                email=row.email,
                first_name=row.first_name,
                last_name=row.last_name,
                residency=Residency(row.residency),
                zone=row.zone,
                owner=row.owner,
            ),
            covers=tuple(covers[row.id]),
            content=row.content,
            message_id=row.message_id,
            claimed_at=row.claimed_at,
            may_have_left=row.may_have_left,
        )
        for row in connection.execute(statement)
    ]


def _covers_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[Cover]]:
    covers: defaultdict[int, list[Cover]] = defaultdict(list)
    statement = select(CoverRow.__table__).where(CoverRow.message_row_id == func.any(list(ids)))
    for row in connection.execute(statement.order_by(CoverRow.stated_date, CoverRow.id)):
        covers[row.message_row_id].append(
            Cover(
                program=row.program,
                entry_term=row.entry_term,
                round=row.round,
                stated_date=row.stated_date,
                prep_session_id=row.prep_session_id,
                session_starts=row.session_starts,
                offset=row.offset,
            )
        )
    return covers


def date_told_before(connection: Connection, cover: Cover, *, person_id: int) -> date | None:
    """The last other date that the person was told for the deadline of this cover; None: none that we know of.

    Only messages that the relay has accepted count: what was claimed may never have left.
    """
    about_dates = (MessageKind.DEADLINE_REMINDER.value, MessageKind.DEADLINE_MOVED.value)
    statement = (
        select(CoverRow.stated_date)
        .join(MessageRow, MessageRow.id == CoverRow.message_row_id)
        .where(
            CoverRow.person_id == person_id,
            CoverRow.kind.in_(about_dates),
            CoverRow.program == cover.program,
            CoverRow.entry_term == cover.entry_term,
            CoverRow.round == cover.round,
            CoverRow.stated_date != cover.stated_date,
            MessageRow.state.in_([state.value for state in TAKEN_BY_RELAY]),
        )
        .order_by(MessageRow.accepted_at.desc(), CoverRow.id.desc())
    )
    return connection.execute(statement.limit(1)).scalar_one_or_none()


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


def begin_transmissions(connection: Connection, frozen: Sequence[FrozenMessage], *, lease: timedelta) -> frozenset[int]:
    """Freeze the bytes of a few messages and record that the first of them may leave; the lease begins anew.

    Gives the ids of those that are still ours: the others have another owner, or will have one soon.
    """
    rows = _frozen_rows(frozen)
    # All contents as one value: it travels as it is, where an array of them would be escaped byte by byte.
    contents = literal(b"".join(one.content for one in frozen), LargeBinary)
    begun = (
        update(MessageRow)
        .where(
            MessageRow.id == rows.c.id,
            MessageRow.token == rows.c.token,
            MessageRow.state == MessageState.CLAIMED.value,
            MessageRow.lease_until > func.clock_timestamp(),
        )
        .values(
            state=MessageState.TRANSMITTING.value,
            lease_until=func.clock_timestamp() + lease,
            attempts=MessageRow.attempts + 1,
            transmitting_at=func.clock_timestamp(),
            message_id=rows.c.message_id,
            content=func.substr(contents, rows.c.begins, rows.c.length),
            content_sha256=rows.c.sha256,
            template_version=func.coalesce(MessageRow.template_version, rows.c.version),
        )
        .returning(MessageRow.id)
    )
    return frozenset(connection.execute(begun).scalars())


def _frozen_rows(frozen: Sequence[FrozenMessage]) -> TableValuedAlias:
    """The messages as rows: one statement for all, whatever their number, so that it is prepared once."""
    lengths = [len(one.content) for one in frozen]
    columns: list[tuple[str, Any, Sequence[Any]]] = [
        ("id", BigInteger(), [one.message.id for one in frozen]),
        ("token", Integer(), [one.message.token for one in frozen]),
        ("message_id", Text(), [one.message_id for one in frozen]),
        # Counted from one, as SQL does.
        ("begins", Integer(), [1, *(1 + end for end in accumulate(lengths[:-1]))]),
        ("length", Integer(), lengths),
        ("sha256", Text(), [hashlib.sha256(one.content).hexdigest() for one in frozen]),
        ("version", Text(), [one.template_version for one in frozen]),
    ]
    arrays = [literal(values, ARRAY(kind)) for _, kind, values in columns]
    rows = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind, _ in columns))
    return rows.render_derived("frozen")


def record_accepted(
    connection: Connection, accepted: Sequence[tuple[ClaimedMessage, str]], *, now: datetime
) -> frozenset[int]:
    """The relay has these messages: it answered so, or its log says so.

    Gives the ids of those that no other worker settled meanwhile.
    """
    unsettled = [MessageState.CLAIMED.value, MessageState.TRANSMITTING.value]
    rows = (
        func.unnest(
            literal([message.id for message, _ in accepted], ARRAY(BigInteger)),
            literal([message.token for message, _ in accepted], ARRAY(Integer)),
            literal([reply for _, reply in accepted], ARRAY(Text)),
        )
        .table_valued(column("id", BigInteger), column("token", Integer), column("reply", Text))
        .render_derived("accepted")
    )
    statement = (
        update(MessageRow)
        .where(
            MessageRow.id == rows.c.id,
            MessageRow.token == rows.c.token,
            MessageRow.state.in_([*unsettled, *_REPORTED_BEFORE]),
        )
        .values(
            # A report of it that was read before this keeps the state: it tells what came after.
            state=case((MessageRow.state.in_(unsettled), MessageState.ACCEPTED.value), else_=MessageRow.state),
            accepted_at=func.least(MessageRow.accepted_at, now),
            outcome=rows.c.reply,
            lease_until=None,
        )
        .returning(MessageRow.id)
    )
    return frozenset(connection.execute(statement).scalars())


def record_retry(
    connection: Connection,
    message: ClaimedMessage,
    *,
    outcome: str,
    delay: timedelta,
    refused: bool,
    nothing_left: bool = False,
    may_have_left: bool = False,
) -> bool:
    """Refused for now, or not reached: to be claimed again after the delay, by the database's clock.

    Args:
        may_have_left: whether it went out is to be asked once more before it does.
        nothing_left: none of the content left in this attempt, which so does not count: bytes that were frozen for it
            are written anew.
    """
    values = {
        "state": MessageState.RETRY.value,
        "retry_at": func.clock_timestamp() + delay,
        "refusals": MessageRow.refusals + int(refused),
        "outcome": outcome,
        "lease_until": None,
        **(_as_before(message) if nothing_left else {}),
        **({"may_have_left": True} if may_have_left else {}),
    }
    statement = _held(message, MessageState.CLAIMED, MessageState.TRANSMITTING)
    return _change(connection, message, statement.values(values), MessageState.RETRY, outcome)


def permit_second_copy(connection: Connection, message: ClaimedMessage) -> None:
    """It is worth a second copy: nobody needs to ask again, however often that is refused before it goes out."""
    connection.execute(_held(message, MessageState.CLAIMED).values(may_have_left=False))


def record_end(
    connection: Connection, message: ClaimedMessage, *, state: MessageState, outcome: str, nothing_left: bool = False
) -> bool:
    """The message ends here: failed or uncertain, with the reason in words and without the address."""
    statement = _held(message, MessageState.CLAIMED, MessageState.TRANSMITTING)
    values = {"state": state.value, "outcome": outcome, "lease_until": None}
    if nothing_left:
        values |= _as_before(message)
    return _change(connection, message, statement.values(values), state, outcome)


def _as_before(message: ClaimedMessage) -> dict[str, Any]:
    """What this attempt had written of the message, taken back."""
    values: dict[str, Any] = {"attempts": message.attempts}
    if message.content is None:
        values |= dict.fromkeys(("message_id", "content", "content_sha256", "template_version"))
    return values


def _change(
    connection: Connection, message: ClaimedMessage, statement: Update, state: MessageState, outcome: str
) -> bool:
    """Make a change that few messages go through, and add it to the timeline: the next one overwrites its words."""
    changed = connection.execute(statement).rowcount == 1
    if changed:
        add_message_event(connection, message.id, state.value, status=enhanced_status(outcome) or "", detail=outcome)
    return changed


def _held(message: ClaimedMessage, *states: MessageState) -> Update:
    return update(MessageRow).where(
        MessageRow.id == message.id,
        MessageRow.token == message.token,
        MessageRow.state.in_([state.value for state in states]),
    )
