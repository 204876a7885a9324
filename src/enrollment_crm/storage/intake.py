"""Intake: what is known of the people of a batch, fetched in sets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from enrollment_crm.domain.intake import Dossier, Interest, InterestKey
from enrollment_crm.domain.people import Contact
from enrollment_crm.storage.identity import identify
from enrollment_crm.storage.models import (
    ConsentRow,
    InterestRow,
    PersonRow,
    PrepSessionRow,
    UnsubscriptionRow,
)
from enrollment_crm.storage.people import details_of


@dataclass
class Dossiers:
    """The people of a batch, each once, with what was known of their interests when the batch began."""

    #: Nobody knew them.
    newcomers: list[Dossier] = field(default_factory=list)
    #: By id: locked until the transaction ends.
    known: dict[int, Dossier] = field(default_factory=dict)
    #: Id of a person -> each interest with its id.
    interests_before: dict[int, dict[InterestKey, tuple[int, Interest]]] = field(default_factory=dict)

    @property
    def people(self) -> list[Dossier]:
        """All of them."""
        return [*self.newcomers, *self.known.values()]


class Arrival(NamedTuple):
    """Who a row speaks of, and when it reached the pipeline."""

    contact: Contact
    arrived_at: datetime


def open_dossiers(
    connection: Connection, arrivals: Sequence[Arrival], *, sources: Iterable[str]
) -> tuple[Dossiers, list[Dossier]]:
    """What is known of the people of a batch, locked; beside it the dossier of each arrival, one a person.

    Args:
        sources: those of the batch: whose consents of before must be recognised.
    """
    found = identify(connection, [one.contact for one in arrivals])
    dossiers, newcomers = Dossiers(), dict[str, Dossier]()
    ordered = []
    for arrival, person_id in zip(arrivals, found, strict=True):
        same: dict[Any, Dossier] = newcomers if person_id is None else dossiers.known
        identity = arrival.contact.email_key if person_id is None else person_id
        if identity not in same:
            same[identity] = Dossier(arrival.contact, arrival.arrived_at, person_id)
        ordered.append(same[identity])
    dossiers.newcomers = list(newcomers.values())
    if dossiers.known:
        _fill(connection, dossiers.known, sources)
        dossiers.interests_before = _interests_of(connection, dossiers.known)
    return dossiers, ordered


def _fill(connection: Connection, known: dict[int, Dossier], sources: Iterable[str]) -> None:
    ids = list(known)
    for row in connection.execute(select(PersonRow.__table__).where(PersonRow.id == func.any(ids))).all():
        known[row.id].details, known[row.id].is_paused = details_of(row), row.paused_until is not None
    consents = select(ConsentRow.person_id, ConsentRow.source, ConsentRow.given_at, ConsentRow.submission)
    theirs = ConsentRow.person_id == func.any(ids), ConsentRow.source == func.any(sorted(sources))
    for person_id, source, given_at, submission in connection.execute(consents.where(*theirs)).all():
        known[person_id].consents_known |= {(source, given_at), (source, submission or given_at)}
    withdrawn = select(UnsubscriptionRow.person_id, UnsubscriptionRow.topic, UnsubscriptionRow.at)
    in_force = UnsubscriptionRow.person_id == func.any(ids), UnsubscriptionRow.lifted_at.is_(None)
    for person_id, topic, at in connection.execute(withdrawn.where(*in_force)).all():
        known[person_id].unsubscribed[topic] = at


def _interests_of(
    connection: Connection, known: dict[int, Dossier]
) -> dict[int, dict[InterestKey, tuple[int, Interest]]]:
    before: defaultdict[int, dict[InterestKey, tuple[int, Interest]]] = defaultdict(dict)
    statement = select(InterestRow.__table__).where(InterestRow.person_id == func.any(list(known)))
    for row in connection.execute(statement.order_by(InterestRow.id)).all():
        interest = Interest(row.since, row.changed_at, row.asked_for_information, row.copied_from is not None)
        before[row.person_id][row.program, row.entry_term] = row.id, interest
        known[row.person_id].interests[row.program, row.entry_term] = interest
    return before


def sessions_named(connection: Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Of these sessions those that are known and not cancelled, with when they begin."""
    statement = select(PrepSessionRow.id, PrepSessionRow.starts).where(
        PrepSessionRow.id == func.any(sorted(ids)), PrepSessionRow.cancelled_at.is_(None)
    )
    return {row.id: row.starts for row in connection.execute(statement)}
