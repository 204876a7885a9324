"""The overview: people, where they were routed, and what they were sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.domain.residency import Residency
from enrollment_crm.storage.deliveries import total_known
from enrollment_crm.storage.models import (
    BatchRow,
    CoverRow,
    InboxRow,
    InterestRow,
    MessageRow,
    PersonRow,
    QuarantineRow,
    ReviewRow,
)


@dataclass(frozen=True)
class PersonFacts:
    """A person with their route. pii: name, residency, zone."""

    person_id: int
    name: str
    residency: Residency
    zone: str
    owner: str
    needs_routing: bool
    asked: bool
    #: Program and entry term, in order of arrival.
    interests: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class MessageFacts:
    """A cover of the ledger: what it was about, and what became of it."""

    person_id: int
    kind: str
    about: str
    offset: str | None
    due_at: datetime
    #: A state of the message, or the reason that withheld it.
    state: str


def people_with_routes(connection: Connection) -> list[PersonFacts]:
    """Everybody, in order of arrival."""
    interests: dict[int, list[tuple[str, str | None]]] = {}
    asked: set[int] = set()
    wanted = select(*InterestRow.__table__.c).order_by(InterestRow.id)
    for row in connection.execute(wanted):
        interests.setdefault(row.person_id, []).append((row.program, row.entry_term))
        if row.asked_for_information:
            asked.add(row.person_id)
    person = PersonRow.__table__
    return [
        PersonFacts(
            person_id=row.id,
            name=f"{row.first_name} {row.last_name}".strip(),
            residency=Residency(row.residency),
            zone=row.zone,
            owner=row.owner,
            needs_routing=row.needs_routing,
            asked=row.id in asked,
            interests=tuple(interests.get(row.id, ())),
        )
        for row in connection.execute(select(*person.c).order_by(person.c.id))
    ]


def messages_of_people(connection: Connection) -> list[MessageFacts]:
    """Every cover of the ledger, in order of its instant."""
    statement = (
        select(
            CoverRow.person_id,
            CoverRow.kind,
            CoverRow.entry_term,
            CoverRow.round,
            CoverRow.prep_session_id,
            CoverRow.offset,
            CoverRow.due_at,
            func.coalesce(CoverRow.withheld, MessageRow.withheld).label("withheld"),
            MessageRow.state,
        )
        .select_from(CoverRow)
        .outerjoin(MessageRow, MessageRow.id == CoverRow.message_row_id)
        .order_by(CoverRow.due_at, CoverRow.id)
    )
    return [
        MessageFacts(
            person_id=row.person_id,
            kind=row.kind,
            about=row.prep_session_id or " ".join(filter(None, [row.round, row.entry_term])),
            offset=row.offset,
            due_at=row.due_at,
            state=f"withheld: {row.withheld}" if row.withheld else row.state,
        )
        for row in connection.execute(statement)
    ]


@dataclass(frozen=True)
class QuarantineFacts:
    """A rejected row: where it came from, and why it was rejected. No value of it."""

    inbox_id: int
    source: str
    column: str
    reason: str


def quarantined_rows(connection: Connection) -> list[QuarantineFacts]:
    """Every row in the quarantine, oldest first; without those that somebody has discarded."""
    statement = (
        select(QuarantineRow.inbox_id, InboxRow.source, QuarantineRow.column, QuarantineRow.reason)
        .join(InboxRow, InboxRow.id == QuarantineRow.inbox_id)
        .where(InboxRow.outcome == InboxOutcome.QUARANTINED.value)
        .order_by(QuarantineRow.inbox_id)
    )
    return [QuarantineFacts(*row) for row in connection.execute(statement)]


@dataclass(frozen=True)
class IntakeFacts:
    """in = accepted + quarantined + discarded, over all batches; and what still waits.

    A row that was quarantined and accepted later counts once, as accepted.
    """

    rows_in: int
    accepted: int
    quarantined: int
    pending: int
    not_loaded: int
    open_reviews: int
    #: Rows that a person decided not to take in.
    discarded: int = 0
    #: Delivered again and recognised; not among the rows in.
    duplicates: int = 0
    #: Batches that wait for a person.
    stopped: int = 0


def intake_totals(connection: Connection) -> IntakeFacts:
    """The counts of all batches, and what waits for a task or a person."""
    arrived = func.sum(BatchRow.rows_in).filter(~BatchRow.is_replay)
    sums = (func.coalesce(one, 0) for one in (arrived, func.sum(BatchRow.accepted)))
    rows_in, accepted = (int(value) for value in connection.execute(select(*sums)).one())
    pending, not_loaded, stopped, reviews, discarded = (
        connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
        for table, condition in (
            (InboxRow, InboxRow.outcome == "pending"),
            (BatchRow, BatchRow.step == "validated"),
            (BatchRow, BatchRow.step == "stopped"),
            (ReviewRow, ReviewRow.closed_at.is_(None)),
            (InboxRow, InboxRow.outcome == "discarded"),
        )
    )
    return IntakeFacts(
        rows_in=rows_in,
        accepted=accepted,
        quarantined=rows_in - accepted - discarded,
        pending=pending,
        not_loaded=not_loaded,
        open_reviews=reviews,
        discarded=discarded,
        duplicates=total_known(connection),
        stopped=stopped,
    )


def count_unrouted(connection: Connection) -> int:
    """How many people wait for a route."""
    statement = select(func.count()).select_from(PersonRow).where(PersonRow.needs_routing)
    return connection.execute(statement).scalar_one()


def is_anything_on_its_way(connection: Connection) -> bool:
    """Whether a row waits to be judged or loaded, or a person to be routed: somebody whom a sweep may not see yet."""
    waiting = (
        select(InboxRow.id).where(InboxRow.outcome == "pending"),
        select(BatchRow.id).where(BatchRow.step == "validated"),
        select(PersonRow.id).where(PersonRow.needs_routing),
    )
    return connection.execute(select(or_(*(one.exists() for one in waiting)))).scalar_one()


def count_rows(connection: Connection) -> int:
    """How many raw rows have arrived."""
    return connection.execute(select(func.count()).select_from(InboxRow)).scalar_one()
