"""People: found by address, brought up to date, and what they said kept with its source and time."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.people import Contact
from enrollment_crm.domain.residency import ResidencyEvidence
from enrollment_crm.domain.zones import choose_zone
from enrollment_crm.storage.models import (
    ConsentRow,
    EventRow,
    InterestRow,
    PersonRow,
    ResidencyEvidenceRow,
    UnsubscriptionRow,
)

_LOG = logging.getLogger(__name__)


def upsert_person(connection: Connection, contact: Contact, *, country_zones: Mapping[str, str], now: datetime) -> int:
    """The id of the person with this address, created or brought up to date; what is not said erases nothing (R2).

    The person is marked for routing. The row stays locked until the transaction ends.
    """
    known = _find(connection, contact.email_key) or _create(connection, contact, now)
    country = contact.country or known.country
    news = choose_zone(contact.time_zone, country, country_zones=country_zones)
    # A zone that does not exist says nothing, and so erases nothing.
    stated = contact.time_zone if news.basis == "stated" else known.stated_time_zone or contact.time_zone
    choice = choose_zone(stated, country, country_zones=country_zones)
    if news.warning:
        _LOG.warning("Person %s states a time zone that does not exist: taken by %s instead.", known.id, choice.basis)
    said = {
        "first_name": contact.first_name or known.first_name,
        "last_name": contact.last_name or known.last_name,
        "phone": contact.phone or known.phone,
        "country": country,
        "stated_time_zone": stated,
        "zone": choice.zone,
        "needs_routing": True,
    }
    connection.execute(update(PersonRow).where(PersonRow.id == known.id).values(said))
    person_id: int = known.id
    return person_id


def _find(connection: Connection, email_key: str) -> Row[Any] | None:
    statement = select(PersonRow.__table__).where(PersonRow.email_key == email_key).with_for_update()
    return connection.execute(statement).first()


def _create(connection: Connection, contact: Contact, now: datetime) -> Row[Any]:
    values = {
        "email": contact.email,
        "email_key": contact.email_key,
        "zone": choose_zone(None, None, country_zones={}).zone,
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
) -> None:
    """Add a program and term to what the person wants; a known term replaces an unknown one of the same program.

    Who asked for information without a term has asked for it all the same: the known term takes that over. An earlier
    arrival that is loaded later counts: who was there before a point was there (R5).
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
        asked_for_information=asked_for_information,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[InterestRow.person_id, InterestRow.program, InterestRow.entry_term],
            set_={
                "since": func.least(InterestRow.since, statement.excluded.since),
                "asked_for_information": InterestRow.asked_for_information | statement.excluded.asked_for_information,
            },
        )
    )


def add_evidence(connection: Connection, *, person_id: int, evidence: ResidencyEvidence) -> None:
    """Keep a statement about residency, if it says anything."""
    values = {
        "stated": evidence.stated,
        "citizenship": evidence.citizenship,
        "holds_visa": evidence.holds_visa,
        "address_country": evidence.address_country,
    }
    if any(value is not None for value in values.values()):
        about = {"person_id": person_id, "source": evidence.source, "said_at": evidence.said_at}
        connection.execute(insert(ResidencyEvidenceRow).values({**about, **values}))


def record_consent(
    connection: Connection,
    *,
    person_id: int,
    source: str,
    submission: str | None,
    text_version: str,
    page: str,
    given_at: datetime,
) -> None:
    """Keep the proof of a consent, and lift an unsubscription that is older (R7).

    A submission that is delivered again is no new consent, whatever else its row says by now, and whenever it arrives.
    The caller holds the lock on the person.
    """
    same = ConsentRow.given_at == given_at
    if submission:
        same |= ConsentRow.submission == submission
    theirs = (ConsentRow.person_id == person_id) & (ConsentRow.source == source)
    if connection.execute(select(ConsentRow.id).where(theirs, same).limit(1)).first():
        return
    connection.execute(
        insert(ConsentRow).values(
            person_id=person_id,
            source=source,
            submission=submission,
            text_version=text_version,
            page=page,
            given_at=given_at,
        )
    )
    connection.execute(
        update(UnsubscriptionRow)
        .where(
            UnsubscriptionRow.person_id == person_id,
            UnsubscriptionRow.at < given_at,
            UnsubscriptionRow.lifted_at.is_(None),
        )
        .values(lifted_at=given_at)
    )


def unsubscribe_person(connection: Connection, *, person_id: int, topic: str, at: datetime) -> bool:
    """Record that a person wants nothing more of a topic. False where the person is unknown.

    Twice is once, at the later instant: a consent given between the two does not lift it.
    """
    if connection.execute(select(PersonRow.id).where(PersonRow.id == person_id)).first() is None:
        return False
    statement = insert_or_ignore(UnsubscriptionRow).values(person_id=person_id, topic=topic, at=at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[UnsubscriptionRow.person_id, UnsubscriptionRow.topic],
            set_={"at": func.greatest(UnsubscriptionRow.at, statement.excluded.at), "lifted_at": None},
        )
    )
    return True


def record_event(
    connection: Connection, *, person_id: int, kind: str, occurred_at: datetime, inbox_id: int, now: datetime
) -> None:
    """Record what happened, in the transaction that makes it so."""
    connection.execute(
        insert(EventRow).values(
            person_id=person_id, kind=kind, occurred_at=occurred_at, recorded_at=now, inbox_id=inbox_id
        )
    )
