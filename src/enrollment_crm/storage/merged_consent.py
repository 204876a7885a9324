"""Consent of two records that become one person, or two again: the stricter one holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import aliased

from enrollment_crm.domain.consent import ConsentBasis
from enrollment_crm.storage.consent import catch_up_with, end_pause
from enrollment_crm.storage.models import ConsentRow, PersonRow, UnsubscriptionRow

_CONSENT = ("source", "submission", "text_version", "page", "given_at", "basis", "runs_out_at")


def unite_consents(connection: Connection, *, gone: int, stays: int, at: datetime, first: bool) -> None:
    """The proofs of both. One that is given after the merge is new: it lifts what is older, as a signup does (R7)."""
    copy = aliased(ConsentRow)
    same = (getattr(copy, name).is_not_distinct_from(getattr(ConsentRow, name)) for name in _CONSENT)
    known = select(1).where(copy.person_id == stays, copy.copied_from == gone, *same).correlate(ConsentRow)
    theirs = select(literal(stays), literal(gone), *(getattr(ConsentRow, name) for name in _CONSENT)).where(
        ConsentRow.person_id == gone, ~known.exists()
    )
    statement = insert(ConsentRow).from_select(["person_id", "copied_from", *_CONSENT], theirs)
    new = connection.execute(statement.returning(ConsentRow.given_at, ConsentRow.basis)).all()
    given = [row.given_at for row in new if row.basis == ConsentBasis.EXPRESS.value]
    if first or not given:
        return
    older = (UnsubscriptionRow.person_id == stays) & (UnsubscriptionRow.at <= max(given))
    lifted = update(UnsubscriptionRow).where(older, UnsubscriptionRow.lifted_at.is_(None)).values(lifted_at=max(given))
    if connection.execute(lifted).rowcount + end_pause(connection, person_id=stays):
        catch_up_with(connection, person_id=stays, at=at)


def unite_withdrawals(connection: Connection, *, gone: int, stays: int, first: bool) -> None:
    """What one of the two does not want, neither gets; the longer pause too.

    Later on it is a withdrawal like any: one that is older than the consent which lifted it is not new.
    """
    paused = select(PersonRow.paused_until).where(PersonRow.id == gone).scalar_subquery()
    longer = func.greatest(PersonRow.paused_until, paused)
    connection.execute(update(PersonRow).where(PersonRow.id == stays).values(paused_until=longer))
    theirs = select(literal(stays), UnsubscriptionRow.topic, UnsubscriptionRow.at)
    statement = insert_or_update(UnsubscriptionRow).from_select(
        ["person_id", "topic", "at"],
        theirs.where(UnsubscriptionRow.person_id == gone, UnsubscriptionRow.lifted_at.is_(None)),
    )
    later = or_(UnsubscriptionRow.lifted_at.is_(None), UnsubscriptionRow.lifted_at < statement.excluded.at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[UnsubscriptionRow.person_id, UnsubscriptionRow.topic],
            set_={"at": func.greatest(UnsubscriptionRow.at, statement.excluded.at), "lifted_at": None},
            where=None if first else later,
        )
    )


def divide_withdrawals(
    connection: Connection, *, gone: int, stays: int, kept: Sequence[tuple[str, datetime, datetime | None]]
) -> None:
    """The person's own withdrawals as they were, with what they withdrew from since.

    What the other record's consent lifted is lifted no more: the stricter reading holds.
    """
    own = {topic: (at, lifted_at) for topic, at, lifted_at in kept}
    theirs = _withdrawals_of(connection, gone)
    for topic, at in _withdrawals_of(connection, stays).items():
        mine = (UnsubscriptionRow.person_id == stays) & (UnsubscriptionRow.topic == topic)
        if topic in own and at in (own[topic][0], theirs.get(topic)):
            values: dict[str, Any] = {"at": own[topic][0], "lifted_at": own[topic][1]}
            connection.execute(update(UnsubscriptionRow).where(mine).values(values))
        elif at == theirs.get(topic):
            connection.execute(delete(UnsubscriptionRow).where(mine))
    _lift_again(connection, stays)


def _withdrawals_of(connection: Connection, person_id: int) -> dict[str, datetime]:
    statement = select(UnsubscriptionRow.topic, UnsubscriptionRow.at).where(UnsubscriptionRow.person_id == person_id)
    return {row.topic: row.at for row in connection.execute(statement)}


def _lift_again(connection: Connection, stays: int) -> None:
    """By the person's own consents, which they gave while the two were one; of one instant the withdrawal holds."""
    newest = select(func.max(ConsentRow.given_at)).where(
        ConsentRow.person_id == stays,
        ConsentRow.copied_from.is_(None),
        ConsentRow.basis == ConsentBasis.EXPRESS.value,
    )
    given = connection.execute(newest).scalar_one()
    if given is not None:
        older = (UnsubscriptionRow.person_id == stays) & (UnsubscriptionRow.at < given)
        lifted = update(UnsubscriptionRow).where(older, UnsubscriptionRow.lifted_at.is_(None))
        connection.execute(lifted.values(lifted_at=given))
