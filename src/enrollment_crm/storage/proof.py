"""Proof: what exactly a person was sent, and what became of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from enrollment_crm.storage.message_events import MessageEvent, events_of_message
from enrollment_crm.storage.models import CoverRow, DeadlineRow, MessageEventRow, MessageRow, PersonRow

_ROWS_A_FETCH = 500
#: The columns of a message, in the order in which an audit reads them. No names, addresses or contents.
AUDIT_COLUMNS = (
    "id", "person_id", "kind", "state", "message_id", "template_version", "content_sha256", "due_at", "claimed_at",
    "transmitting_at", "accepted_at", "attempts", "refusals", "outcome", "withheld",
)  # fmt: skip


@dataclass(frozen=True)
class DateInForce:
    """A version of a date, as it was in force when a message was claimed, and who had approved it."""

    residency: str
    version: int
    approved_by: str | None
    approved_at: datetime | None
    source: str


@dataclass(frozen=True)
class ProvenCover:
    """One key that the message covers, with the versions of its date."""

    kind: str
    program: str | None
    entry_term: str | None
    round: str | None
    stated_date: date | None
    prep_session_id: str | None
    session_starts: datetime | None
    offset: str | None
    catch_up: bool
    due_at: datetime
    dates: tuple[DateInForce, ...]


@dataclass(frozen=True)
class StoredMessage:
    """One message as the ledger has it. pii: the content."""

    id: int
    person_id: int
    kind: str
    state: str
    message_id: str | None
    template_version: str | None
    content_sha256: str | None
    due_at: datetime
    claimed_at: datetime
    transmitting_at: datetime | None
    accepted_at: datetime | None
    attempts: int
    refusals: int
    outcome: str | None
    withheld: str | None
    #: The frozen bytes; None: nothing was ever written, or the person was erased.
    content: bytes | None
    is_erased: bool
    covers: tuple[ProvenCover, ...]
    events: tuple[MessageEvent, ...]


def stored_message(connection: Connection, message_row_id: int) -> StoredMessage | None:
    """The message with this number; None: there is none."""
    columns = [MessageRow.__table__.c[name] for name in (*AUDIT_COLUMNS, "content")]
    statement = (
        select(*columns, PersonRow.erased_at.is_not(None).label("is_erased"))
        .join(PersonRow, PersonRow.id == MessageRow.person_id)
        .where(MessageRow.id == message_row_id)
    )
    row = connection.execute(statement).mappings().first()
    if row is None:
        return None
    covers = tuple(_covers_of(connection, message_row_id, row["claimed_at"]))
    return StoredMessage(**row, covers=covers, events=tuple(events_of_message(connection, message_row_id)))


def messages_of_person(connection: Connection, person_id: int) -> list[int]:
    """The numbers of all messages to this record, the oldest first."""
    statement = select(MessageRow.id).where(MessageRow.person_id == person_id)
    return list(connection.execute(statement.order_by(MessageRow.claimed_at, MessageRow.id)).scalars())


def _covers_of(connection: Connection, message_row_id: int, claimed_at: datetime) -> Iterator[ProvenCover]:
    names = [name for name in ProvenCover.__dataclass_fields__ if name != "dates"]
    statement = select(*(CoverRow.__table__.c[name] for name in names))
    ours = statement.where(CoverRow.message_row_id == message_row_id).order_by(CoverRow.stated_date, CoverRow.id)
    for row in connection.execute(ours).mappings().all():
        cover: dict[str, Any] = {str(name): value for name, value in row.items()}
        yield ProvenCover(**cover, dates=tuple(_dates_in_force(connection, cover, claimed_at)))


def _dates_in_force(connection: Connection, cover: Mapping[str, Any], at: datetime) -> Sequence[DateInForce]:
    """Every group's version of the cover's date that was in force then: groups may have had the same date."""
    if cover["stated_date"] is None:
        return ()
    columns = [DeadlineRow.__table__.c[name] for name in DateInForce.__dataclass_fields__]
    statement = select(*columns).where(
        DeadlineRow.program == cover["program"],
        DeadlineRow.entry_term == cover["entry_term"],
        DeadlineRow.round == cover["round"],
        DeadlineRow.stated_date == cover["stated_date"],
        DeadlineRow.approved_at <= at,
        or_(DeadlineRow.replaced_at.is_(None), DeadlineRow.replaced_at > at),
    )
    return [DateInForce(*row) for row in connection.execute(statement.order_by(DeadlineRow.residency))]


@dataclass(frozen=True)
class AuditedMessage:
    """A message for an audit: ids, hashes, states and instants; the address only where it was asked for."""

    values: dict[str, Any]
    #: ``deadline_reminder/my-program/fall 2027/early_action/2026-12-01/7d``, one a key.
    covers: tuple[str, ...]
    #: ``bounced 5.1.1 2026-11-24T15:00:00+00:00``, one a step.
    events: tuple[str, ...]
    #: pii
    address: str | None


def audited_messages(
    connection: Connection, *, since: datetime, before: datetime, with_addresses: bool
) -> Iterator[AuditedMessage]:
    """Every message that was claimed from one instant on and before another, in the order of their numbers.

    Read in portions: as many as there are, the memory stays the same.
    """
    columns = [MessageRow.__table__.c[name] for name in AUDIT_COLUMNS]
    statement = (
        select(*columns, PersonRow.email, PersonRow.erased_at)
        .join(PersonRow, PersonRow.id == MessageRow.person_id)
        .where(MessageRow.claimed_at >= since, MessageRow.claimed_at < before)
        .order_by(MessageRow.id)
        .execution_options(yield_per=_ROWS_A_FETCH)
    )
    for portion in connection.execute(statement).partitions():
        ids = [row.id for row in portion]
        covers, events = _covers_in_words(connection, ids), _events_in_words(connection, ids)
        for row in portion:
            address = row.email if with_addresses and row.erased_at is None else None
            values = {name: getattr(row, name) for name in AUDIT_COLUMNS}
            yield AuditedMessage(values, tuple(covers[row.id]), tuple(events[row.id]), address)


def _covers_in_words(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[str]]:
    parts = ("kind", "program", "entry_term", "round", "stated_date", "prep_session_id", "session_starts", "offset")
    columns = [CoverRow.__table__.c[name] for name in parts]
    statement = select(CoverRow.message_row_id, *columns).where(CoverRow.message_row_id == func.any(list(ids)))
    found: defaultdict[int, list[str]] = defaultdict(list)
    for message_row_id, *said in connection.execute(statement.order_by(CoverRow.id)):
        found[message_row_id].append("/".join(str(one) for one in said if one is not None))
    return found


def _events_in_words(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[str]]:
    columns = (MessageEventRow.message_row_id, MessageEventRow.kind, MessageEventRow.status, MessageEventRow.at)
    statement = select(*columns).where(MessageEventRow.message_row_id == func.any(list(ids)))
    found: defaultdict[int, list[str]] = defaultdict(list)
    for message_row_id, kind, status, at in connection.execute(statement.order_by(MessageEventRow.id)):
        found[message_row_id].append(" ".join(part for part in (kind, status, at.isoformat()) if part))
    return found
