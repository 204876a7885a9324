"""Explanations: all that is known of one person, and all that was sent to them or withheld."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.storage.models import (
    ApplicationRow,
    ConsentRow,
    CoverRow,
    InterestRow,
    MessageRow,
    PersonRow,
    RegistrationRow,
    ResidencyEvidenceRow,
    ReviewRow,
    UnsubscriptionRow,
)
from enrollment_crm.storage.suppressions import Suppression, list_suppressions

Record = TypeVar("Record")


@dataclass(frozen=True)
class KnownPerson:
    """A person as the database has them. pii: all of it."""

    id: int
    email: str
    first_name: str
    last_name: str
    country: str | None
    stated_time_zone: str | None
    zone: str
    arrived_at: datetime
    residency: str
    owner: str
    route_reason: str
    needs_routing: bool
    complained_at: datetime | None
    paused_until: datetime | None
    erased_at: datetime | None
    merged_into_id: int | None


@dataclass(frozen=True)
class Statement:
    """What one source said about residency. pii."""

    source: str
    said_at: datetime
    stated: str | None
    citizenship: str | None
    holds_visa: bool | None
    address_country: str | None


@dataclass(frozen=True)
class KnownInterest:
    """A program and term, since when, and when something changed for it last (the turn of R6)."""

    program: str
    entry_term: str | None
    since: datetime
    changed_at: datetime
    asked_for_information: bool


@dataclass(frozen=True)
class KnownApplication:
    """An application with both its clocks: when it happened by its source, and when we learnt of it."""

    program: str | None
    entry_term: str
    status: str
    occurred_at: datetime
    received_at: datetime
    source: str
    reference: str | None


@dataclass(frozen=True)
class GivenConsent:
    """The proof of a consent."""

    source: str
    text_version: str
    page: str
    given_at: datetime


@dataclass(frozen=True)
class Withdrawal:
    """A topic that they do not want, or did not until a later signup lifted it."""

    topic: str
    at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True)
class Seat:
    """A seat in a prep session."""

    prep_session_id: str
    registered_at: datetime


@dataclass(frozen=True)
class OpenReview:
    """What a person must decide. pii: the detail."""

    about: str
    detail: str
    opened_at: datetime


@dataclass(frozen=True)
class RecordedKey:
    """One key of R5, with what became of it."""

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
    recorded_at: datetime
    #: The reason, of a key that was withheld.
    withheld: str | None
    #: The key is free again: what was withheld can still go out.
    released: bool


@dataclass(frozen=True)
class RecordedMessage:
    """One message, with the keys that it covers."""

    id: int
    kind: str
    due_at: datetime
    claimed_at: datetime
    accepted_at: datetime | None
    state: str
    withheld: str | None
    outcome: str | None
    attempts: int
    template_version: str | None
    message_id: str | None
    covers: tuple[RecordedKey, ...] = ()


@dataclass(frozen=True)
class PersonRecord:
    """All that is known of one person. pii."""

    person: KnownPerson
    evidence: tuple[Statement, ...]
    interests: tuple[KnownInterest, ...]
    applications: tuple[KnownApplication, ...]
    consents: tuple[GivenConsent, ...]
    withdrawals: tuple[Withdrawal, ...]
    seats: tuple[Seat, ...]
    reviews: tuple[OpenReview, ...]
    #: Entries of the suppression list with the person's address, also the lifted ones.
    suppressions: tuple[Suppression, ...]
    messages: tuple[RecordedMessage, ...]
    #: Keys that never became a message.
    withheld: tuple[RecordedKey, ...]


def find_person(connection: Connection, who: str) -> int | None:
    """The id of the person with this id or address; a record that was merged away is found by its own address."""
    wanted = PersonRow.id == int(who) if _is_id(who) else PersonRow.email_key == address_key(who)
    return connection.execute(select(PersonRow.id).where(wanted)).scalar_one_or_none()


def _is_id(who: str) -> bool:
    return who.isascii() and who.isdecimal() and len(who) < 19  # noqa: PLR2004 - what a bigint holds


def person_record(connection: Connection, person_id: int) -> PersonRecord:
    """Everything that the tables hold of this person, in order of time."""
    person = PersonRow.__table__
    known = select(*_columns(person, KnownPerson), person.c.email_key).where(person.c.id == person_id)
    row = connection.execute(known).one()
    messages, withheld = _ledger_of(connection, person_id)
    return PersonRecord(
        person=KnownPerson(*row[:-1]),
        evidence=_of(connection, person_id, ResidencyEvidenceRow.__table__, Statement, "said_at"),
        interests=_of(connection, person_id, InterestRow.__table__, KnownInterest, "since"),
        applications=_of(connection, person_id, ApplicationRow.__table__, KnownApplication, "received_at"),
        consents=_of(connection, person_id, ConsentRow.__table__, GivenConsent, "given_at"),
        withdrawals=_of(connection, person_id, UnsubscriptionRow.__table__, Withdrawal, "at"),
        seats=_of(connection, person_id, RegistrationRow.__table__, Seat, "registered_at"),
        reviews=_open_reviews(connection, person_id),
        suppressions=tuple(list_suppressions(connection, email_key=row.email_key, with_lifted=True)),
        messages=messages,
        withheld=withheld,
    )


def _columns(table: Any, record: type[Any], leave: Sequence[str] = ()) -> list[Any]:
    return [table.c[one.name] for one in fields(record) if one.name not in leave]


def _of(connection: Connection, person_id: int, table: Any, record: type[Record], order: str) -> tuple[Record, ...]:
    statement = select(*_columns(table, record)).where(table.c.person_id == person_id).order_by(table.c[order])
    return tuple(record(*row) for row in connection.execute(statement))


def _open_reviews(connection: Connection, person_id: int) -> tuple[OpenReview, ...]:
    review: Table = ReviewRow.__table__  # type: ignore[assignment]
    theirs = select(*_columns(review, OpenReview)).where(review.c.person_id == person_id, review.c.closed_at.is_(None))
    return tuple(OpenReview(*row) for row in connection.execute(theirs.order_by(review.c.opened_at)))


def _ledger_of(connection: Connection, person_id: int) -> tuple[tuple[RecordedMessage, ...], tuple[RecordedKey, ...]]:
    cover, message = CoverRow.__table__, MessageRow.__table__
    covers: defaultdict[int | None, list[RecordedKey]] = defaultdict(list)
    statement = select(cover.c.message_row_id, *_columns(cover, RecordedKey)).where(cover.c.person_id == person_id)
    for row in connection.execute(statement.order_by(cover.c.recorded_at, cover.c.id)):
        covers[row[0]].append(RecordedKey(*row[1:]))
    columns = _columns(message, RecordedMessage, leave=("covers",))
    theirs = select(*columns).where(message.c.person_id == person_id).order_by(message.c.claimed_at, message.c.id)
    messages = [replace(RecordedMessage(*row), covers=tuple(covers[row.id])) for row in connection.execute(theirs)]
    return tuple(messages), tuple(covers[None])


def records_merged_into(connection: Connection, person_id: int) -> list[int]:
    """The records that were merged into this one."""
    statement = select(PersonRow.id).where(PersonRow.merged_into_id == person_id).order_by(PersonRow.id)
    return list(connection.execute(statement).scalars())
