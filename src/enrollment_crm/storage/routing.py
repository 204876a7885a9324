"""Routing: who waits for a route, what was said of them, and the route that was decided."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, DateTime, Text, func, select, update

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.late_applications import SubmittedApplication
from enrollment_crm.domain.residency import Citizenship, Residency, ResidencyEvidence
from enrollment_crm.domain.routing import Route
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.copying import staged
from enrollment_crm.storage.models import ApplicationRow, InterestRow, PersonRow, ResidencyEvidenceRow
from enrollment_crm.storage.relations import Columns
from enrollment_crm.storage.reviews import RESIDENCY, AskedReview, close_answered, open_reviews

#: The columns of a person that a route follows from or changes.
_ROUTED_BY = ("id", "zone", "arrived_at", "unknown_from", "unknown_until", "residency", "owner")
_INSTANT = DateTime(timezone=True)
# Making a member of its value takes longer than looking it up.
_RESIDENCIES = {one.value: one for one in Residency}
_CITIZENSHIPS = {one.value: one for one in Citizenship}
_ROUTE: Columns = {
    "id": BigInteger, "residency": Text, "owner": Text, "route_reason": Text, "unknown_from": _INSTANT,
    "unknown_until": _INSTANT,
}  # fmt: skip


class KnownInterest(NamedTuple):
    """What a person wants to know about, and the last turn of it (R6)."""

    program: str
    entry_term: EntryTerm | None
    changed_at: datetime


class UnknownSpell(NamedTuple):
    """Since when the residency is unknown, or was so last, and until when; None: never, and: still or never."""

    began: datetime | None
    ended: datetime | None


class UnroutedPerson(NamedTuple):
    """A person who waits for a route, with what it follows from and what it changes."""

    person_id: int
    zone: str
    arrived_at: datetime
    unknown: UnknownSpell
    #: The group that they were in so far.
    residency: Residency
    #: Whether they have had a route before: what changes then is a turn, and no arrival.
    was_routed: bool
    evidence: tuple[ResidencyEvidence, ...]
    interests: tuple[KnownInterest, ...]
    submitted: tuple[SubmittedApplication, ...]


def people_without_route(connection: Connection, *, limit: int) -> list[UnroutedPerson]:
    """People whose route is to be decided (again), locked for this transaction."""
    waiting = (
        select(*(getattr(PersonRow, name) for name in _ROUTED_BY))
        .where(PersonRow.needs_routing, PersonRow.merged_into_id.is_(None))
        .order_by(PersonRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(waiting).all()
    ids = [row.id for row in rows]
    if not ids:
        return []
    evidence, interests = evidence_of(connection, ids), _interests_of(connection, ids)
    submitted = _submitted_by(connection, ids)
    return [
        UnroutedPerson(
            person_id=row.id,
            zone=row.zone,
            arrived_at=row.arrived_at,
            unknown=UnknownSpell(row.unknown_from, row.unknown_until),
            residency=_RESIDENCIES[row.residency],
            was_routed=bool(row.owner),
            evidence=tuple(evidence[row.id]),
            interests=tuple(interests[row.id]),
            submitted=tuple(submitted[row.id]),
        )
        for row in rows
    ]


def evidence_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[ResidencyEvidence]]:
    """What was said of the residency of these people, in the order in which it reached us, by whichever record."""
    said: defaultdict[int, list[ResidencyEvidence]] = defaultdict(list)
    statement = select(ResidencyEvidenceRow.__table__).where(ResidencyEvidenceRow.person_id == func.any(list(ids)))
    arrived = func.coalesce(ResidencyEvidenceRow.received_at, ResidencyEvidenceRow.said_at)
    for row in connection.execute(statement.order_by(arrived, ResidencyEvidenceRow.id)).all():
        said[row.person_id].append(
            ResidencyEvidence(
                source=row.source,
                said_at=row.said_at,
                stated=_RESIDENCIES[row.stated] if row.stated else None,
                citizenship=_CITIZENSHIPS[row.citizenship] if row.citizenship else None,
                holds_visa=row.holds_visa,
                address_country=row.address_country,
            )
        )
    return said


def _interests_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[KnownInterest]]:
    wanted: defaultdict[int, list[KnownInterest]] = defaultdict(list)
    statement = select(InterestRow.__table__).where(InterestRow.person_id == func.any(list(ids)))
    for row in connection.execute(statement.order_by(InterestRow.id)).all():
        term = EntryTerm.parse(row.entry_term) if row.entry_term else None
        wanted[row.person_id].append(KnownInterest(row.program, term, row.changed_at))
    return wanted


def _submitted_by(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[SubmittedApplication]]:
    submitted: defaultdict[int, list[SubmittedApplication]] = defaultdict(list)
    statement = select(ApplicationRow.__table__).where(
        ApplicationRow.person_id == func.any(list(ids)),
        ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
    )
    for row in connection.execute(statement.order_by(ApplicationRow.id)).all():
        submitted[row.person_id].append(SubmittedApplication(row.program, row.entry_term, row.occurred_at))
    return submitted


class RoutedPerson(NamedTuple):
    """A person with the route that was decided."""

    person: UnroutedPerson
    route: Route


def record_routes(connection: Connection, routed: Sequence[RoutedPerson], *, now: datetime) -> None:
    """Keep routes; their reviews are opened, and open residency reviews that are answered are closed."""
    if not routed:
        return
    values: dict[str, Sequence[object]] = {
        "id": [one.person.person_id for one in routed],
        "residency": [one.route.residency.value for one in routed],
        "owner": [one.route.owner for one in routed],
        "route_reason": [one.route.reason for one in routed],
    }
    spells = [_spell_of_unknown(one.route.residency, one.person, now) for one in routed]
    values |= {"unknown_from": [one.began for one in spells], "unknown_until": [one.ended for one in spells]}
    rows = staged(connection, "routes", _ROUTE, values)
    said = {name: rows.c[name] for name in _ROUTE if name != "id"}
    connection.execute(update(PersonRow).where(PersonRow.id == rows.c.id).values(**said, needs_routing=False))
    answered = [one.person.person_id for one in routed if not _asks_residency(one.route)]
    close_answered(connection, answered, about=RESIDENCY, at=now)
    asked = [AskedReview(one.person.person_id, review) for one in routed for review in one.route.reviews]
    open_reviews(connection, asked, now=now)


def _asks_residency(route: Route) -> bool:
    return any(review.about == RESIDENCY for review in route.reviews)


def _spell_of_unknown(residency: Residency, person: UnroutedPerson, now: datetime) -> UnknownSpell:
    """Since when and until when the residency is unknown, where this route begins or ends that (R2)."""
    is_unknown, was_unknown = residency is Residency.UNKNOWN, person.residency is Residency.UNKNOWN
    if is_unknown and not person.was_routed:
        return UnknownSpell(person.arrived_at, None)
    if is_unknown and not was_unknown:
        return UnknownSpell(now, None)
    if was_unknown and person.was_routed and not is_unknown:
        return person.unknown._replace(ended=now)
    return person.unknown


def record_turn(connection: Connection, *, person_id: int, program: str, entry_term: EntryTerm, at: datetime) -> None:
    """Another date has become theirs: a turn of R6 for one interest."""
    connection.execute(
        update(InterestRow)
        .where(
            InterestRow.person_id == person_id,
            InterestRow.program == program,
            InterestRow.entry_term == str(entry_term),
        )
        .values(changed_at=at)
    )
