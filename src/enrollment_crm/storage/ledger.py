"""The ledger: messages as their workers hold them, and the transitions of ``MessageState``.

Every transition names the token of the claim: a worker that has lost its lease changes nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Update, func, select, update

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
            content_sha256=row.content_sha256,
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
