"""Consent: the proof that somebody asked to be written to, and what they want nothing of any more (R7)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.consent import ConsentBasis, runs_out_at
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import ConsentRow, CoverRow, PersonRow, UnsubscriptionRow
from enrollment_crm.storage.people import turn_interests


def keep_proof(
    connection: Connection,
    *,
    person_id: int,
    source: str,
    submission: str | None,
    text_version: str,
    page: str,
    given_at: datetime,
    basis: ConsentBasis,
) -> None:
    """Keep what a person agreed to, where, when and on what ground; it lifts nothing."""
    connection.execute(
        insert(ConsentRow).values(
            person_id=person_id,
            source=source,
            submission=submission,
            text_version=text_version,
            page=page,
            given_at=given_at,
            basis=basis.value,
            runs_out_at=runs_out_at(basis, given_at),
        )
    )


def has_proof(connection: Connection, *, person_id: int, source: str, submission: str) -> bool:
    """Whether this submission of a source has been kept as a consent of the person."""
    theirs = (ConsentRow.person_id == person_id) & (ConsentRow.source == source)
    statement = select(ConsentRow.id).where(theirs, ConsentRow.submission == submission)
    return connection.execute(statement.limit(1)).first() is not None


def lift_unsubscriptions(connection: Connection, *, person_id: int, topics: Collection[str], at: datetime) -> bool:
    """The person wants messages of these topics again; whether there was anything to lift."""
    theirs = (UnsubscriptionRow.person_id == person_id) & UnsubscriptionRow.lifted_at.is_(None)
    lifted = update(UnsubscriptionRow).where(theirs, UnsubscriptionRow.topic.in_(topics))
    return bool(connection.execute(lifted.values(lifted_at=at)).rowcount)


def topics_left(connection: Connection, person_id: int) -> frozenset[str]:
    """The topics that a person wants nothing of; ``*`` is every topic."""
    statement = select(UnsubscriptionRow.topic).where(
        UnsubscriptionRow.person_id == person_id, UnsubscriptionRow.lifted_at.is_(None)
    )
    return frozenset(connection.execute(statement).scalars())


def pause(connection: Connection, *, person_id: int, until: datetime) -> None:
    """Nothing but answers goes to this person before an instant."""
    connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(paused_until=until))


def end_pause(connection: Connection, *, person_id: int) -> bool:
    """The person wants messages again before their pause is over; whether there was a pause."""
    paused = (PersonRow.id == person_id) & PersonRow.paused_until.is_not(None)
    return bool(connection.execute(update(PersonRow).where(paused).values(paused_until=None)).rowcount)


def catch_up_with(connection: Connection, *, person_id: int, at: datetime) -> None:
    """What was withheld only because the person did not want it was missed, and R6 applies to it (R7)."""
    free_unwanted_keys(connection, [person_id])
    turn_interests(connection, person_id=person_id, at=at)


def free_unwanted_keys(connection: Connection, people: Sequence[int]) -> None:
    """The keys of what was withheld only because these people did not want it, which they do again, are free."""
    own_will = (WithholdReason.UNSUBSCRIBED.value, WithholdReason.PAUSED.value)
    withheld = (CoverRow.person_id == func.any(list(people))) & CoverRow.withheld.in_(own_will)
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
