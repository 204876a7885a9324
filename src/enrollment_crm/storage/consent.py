"""Consent: the proof that somebody asked to be written to, and what they want nothing of any more (R7)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import ConsentRow, CoverRow, PersonRow, UnsubscriptionRow
from enrollment_crm.storage.people import turn_interests


def record_consent(
    connection: Connection,
    *,
    person_id: int,
    source: str,
    submission: str | None,
    text_version: str,
    page: str,
    given_at: datetime,
    received_at: datetime,
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
    lifted = (
        update(UnsubscriptionRow)
        .where(
            UnsubscriptionRow.person_id == person_id,
            UnsubscriptionRow.at <= given_at,
            UnsubscriptionRow.lifted_at.is_(None),
        )
        .values(lifted_at=given_at)
    )
    if connection.execute(lifted).rowcount:
        free_unsubscribed_keys(connection, [person_id])
        turn_interests(connection, person_id=person_id, at=received_at)


def free_unsubscribed_keys(connection: Connection, people: Sequence[int]) -> None:
    """What was withheld only because of an unsubscription that is lifted was missed, and R6 applies to it (R7)."""
    withheld = (CoverRow.person_id == func.any(list(people))) & (CoverRow.withheld == WithholdReason.UNSUBSCRIBED.value)
    connection.execute(update(CoverRow).where(withheld, ~CoverRow.released).values(released=True))


def unsubscribe_person(connection: Connection, *, person_id: int, topic: str, at: datetime) -> bool:
    """Record that a person wants nothing more of a topic. False where the person is unknown.

    Twice is once, at the later instant: a consent given between the two does not lift it. One that is older than the
    consent which lifted it is delivered again, and not new.
    """
    if connection.execute(select(PersonRow.id).where(PersonRow.id == person_id)).first() is None:
        return False
    statement = insert_or_update(UnsubscriptionRow).values(person_id=person_id, topic=topic, at=at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[UnsubscriptionRow.person_id, UnsubscriptionRow.topic],
            set_={"at": func.greatest(UnsubscriptionRow.at, statement.excluded.at), "lifted_at": None},
            where=or_(UnsubscriptionRow.lifted_at.is_(None), UnsubscriptionRow.lifted_at < statement.excluded.at),
        )
    )
    return True
