"""People: found by address, brought up to date, and what they said kept with its source and time."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.people import Contact, Details, bring_up_to_date
from enrollment_crm.domain.person_facts import Facts
from enrollment_crm.domain.residency import ResidencyEvidence
from enrollment_crm.domain.zones import ZoneChoice
from enrollment_crm.storage.models import EventRow, InterestRow, PersonRow, ResidencyEvidenceRow
from enrollment_crm.storage.person_facts import columns_of, facts_in

_LOG = logging.getLogger(__name__)


def upsert_person(connection: Connection, contact: Contact, *, country_zones: Mapping[str, str], now: datetime) -> int:
    """The id of the record with this address, created or brought up to date; what is not said erases nothing (R2).

    Of each field the newest by the source's clock holds. A record that was merged into another keeps what comes by
    its address; the person has it once they are routed. It is marked for routing, and stays locked until the
    transaction ends.
    """
    known = _record(connection, contact.email_key) or _create(connection, contact, now)
    _say(connection, known, contact.facts(received_at=now), country_zones=country_zones, now=now)
    person_id: int = known.id
    return person_id


def say_of_person(
    connection: Connection, person_id: int, facts: Facts, *, country_zones: Mapping[str, str], now: datetime
) -> None:
    """Something is said of a person who is known; of each field the newest holds, and they wait for a route."""
    statement = select(PersonRow.__table__).where(PersonRow.id == person_id).with_for_update()
    _say(connection, connection.execute(statement).one(), facts, country_zones=country_zones, now=now)


def _say(
    connection: Connection, known: Row[Any], news: Facts, *, country_zones: Mapping[str, str], now: datetime
) -> None:
    details, instead = bring_up_to_date(details_of(known), news, country_zones=country_zones)
    if instead:
        warn_of_zone(known.id, instead)
    said = {**columns_of(details.facts), "zone": details.zone, "needs_routing": True}
    connection.execute(update(PersonRow).where(PersonRow.id == known.id).values(said))
    if details.zone != known.zone:
        turn_interests(connection, person_id=known.id, at=now)


def details_of(row: Row[Any]) -> Details:
    """What is known of the person of this row."""
    return Details(facts_in(row), row.zone)


def warn_of_zone(person_id: int, instead: ZoneChoice) -> None:
    """Tell operations that somebody states a time zone that does not exist, and what was taken instead."""
    _LOG.warning("Person %s states a time zone that does not exist: taken by %s instead.", person_id, instead.basis)


def turn_interests(connection: Connection, *, person_id: int, at: datetime) -> None:
    """Something changed for this person, whatever they are interested in: a turn of R6."""
    theirs = (InterestRow.person_id == person_id) & (InterestRow.changed_at < at)
    connection.execute(update(InterestRow).where(theirs).values(changed_at=at))


def _record(connection: Connection, email_key: str) -> Row[Any] | None:
    statement = select(PersonRow.__table__).where(PersonRow.email_key == email_key).with_for_update()
    return connection.execute(statement).first()


def record_of_address(connection: Connection, email_key: str) -> int | None:
    """The id of the record with exactly this address, locked for this transaction, merged or not; None: nobody's."""
    found = _record(connection, email_key)
    return found.id if found is not None else None


def person_of_address(connection: Connection, email_key: str) -> int | None:
    """The id of the person with this address, locked for this transaction; None: nobody has it.

    Of a record that was merged away, the one that it was merged into.
    """
    found = _record(connection, email_key)
    while found is not None and found.merged_into_id is not None:
        following = select(PersonRow.__table__).where(PersonRow.id == found.merged_into_id).with_for_update()
        found = connection.execute(following).first()
    return found.id if found is not None else None


def records_up_from(connection: Connection, record_id: int) -> list[int]:
    """This record, and those that it was merged into, one after another; all locked for this transaction."""
    found: list[int] = []
    following: int | None = record_id
    while following is not None:
        statement = select(PersonRow.merged_into_id).where(PersonRow.id == following).with_for_update()
        found.append(following)
        following = connection.execute(statement).scalar_one_or_none()
    return found


def _create(connection: Connection, contact: Contact, now: datetime) -> Row[Any]:
    values = {
        "email": contact.email,
        "email_key": contact.email_key,
        "zone": Details().zone,
        "arrived_at": now,
    }
    connection.execute(insert_or_ignore(PersonRow).values(values).on_conflict_do_nothing())
    statement = select(PersonRow.__table__).where(PersonRow.email_key == contact.email_key).with_for_update()
    return connection.execute(statement).one()  # somebody made it: this statement or the one it waited for


def await_routing(connection: Connection, person_id: int) -> None:
    """Mark a person whose evidence may have changed. The row stays locked until the transaction ends."""
    connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(needs_routing=True))


def add_interest(
    connection: Connection,
    *,
    person_id: int,
    program: str,
    entry_term: str | None,
    since: datetime,
    asked_for_information: bool,
    copied_from: int | None = None,
) -> None:
    """Add a program and term to what the person wants; a known term replaces an unknown one of the same program.

    Who asked for information without a term has asked for it all the same: the known term takes that over. An earlier
    arrival that is loaded later counts: who was there before a point was there (R5).

    Args:
        copied_from: the record that was merged into this person and wants it; None: they want it themselves.
    """
    theirs = (InterestRow.person_id == person_id) & (InterestRow.program == program)
    if entry_term is None:
        if connection.execute(select(InterestRow.id).where(theirs).limit(1)).first():
            return
    else:
        replaced = delete(InterestRow).where(theirs, InterestRow.entry_term.is_(None))
        asked_before = connection.execute(replaced.returning(InterestRow.asked_for_information)).scalars()
        asked_for_information = any(asked_before) or asked_for_information
    statement = insert_or_ignore(InterestRow).values(
        person_id=person_id,
        program=program,
        entry_term=entry_term,
        since=since,
        changed_at=since,
        asked_for_information=asked_for_information,
        copied_from=copied_from,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[InterestRow.person_id, InterestRow.program, InterestRow.entry_term],
            set_={
                "since": func.least(InterestRow.since, statement.excluded.since),
                "asked_for_information": InterestRow.asked_for_information | statement.excluded.asked_for_information,
                "copied_from": case((statement.excluded.copied_from.is_(None), null()), else_=InterestRow.copied_from),
            },
        )
    )


def has_interest(connection: Connection, person_id: int, *, entry_term: str) -> bool:
    """Whether the person wants to know about some program of this term."""
    theirs = (InterestRow.person_id == person_id) & (InterestRow.entry_term == entry_term)
    return connection.execute(select(InterestRow.id).where(theirs).limit(1)).first() is not None


def add_evidence(
    connection: Connection, *, person_id: int, evidence: ResidencyEvidence, received_at: datetime | None = None
) -> None:
    """Keep a statement about residency, if it says anything, with both clocks."""
    values = {
        "stated": evidence.stated,
        "citizenship": evidence.citizenship,
        "holds_visa": evidence.holds_visa,
        "address_country": evidence.address_country,
    }
    if any(value is not None for value in values.values()):
        about = {"person_id": person_id, "source": evidence.source, "said_at": evidence.said_at}
        about["received_at"] = received_at or evidence.said_at
        connection.execute(insert(ResidencyEvidenceRow).values({**about, **values}))


def record_event(
    connection: Connection, *, person_id: int, kind: str, occurred_at: datetime, inbox_id: int, now: datetime
) -> None:
    """Record what happened, in the transaction that makes it so."""
    connection.execute(
        insert(EventRow).values(
            person_id=person_id, kind=kind, occurred_at=occurred_at, recorded_at=now, inbox_id=inbox_id
        )
    )
