"""Routing: who waits for a route, what was said of them, and the route that was decided."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.late_applications import SubmittedApplication
from enrollment_crm.domain.residency import Citizenship, Residency, ResidencyEvidence
from enrollment_crm.domain.routing import Route
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.models import ApplicationRow, InterestRow, PersonRow, ResidencyEvidenceRow
from enrollment_crm.storage.reviews import RESIDENCY, close_answered, open_review


@dataclass(frozen=True)
class KnownInterest:
    """What a person wants to know about, and the last turn of it (R6)."""

    program: str
    entry_term: EntryTerm | None
    changed_at: datetime


@dataclass(frozen=True)
class UnroutedPerson:
    """A person who waits for a route, with what it follows from and what it changes."""

    person_id: int
    zone: str
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
        select(PersonRow.id, PersonRow.zone, PersonRow.residency, PersonRow.owner)
        .where(PersonRow.needs_routing, PersonRow.merged_into_id.is_(None))
        .order_by(PersonRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(waiting).all()
    ids = [row.id for row in rows]
    evidence, interests = evidence_of(connection, ids), _interests_of(connection, ids)
    submitted = _submitted_by(connection, ids)
    return [
        UnroutedPerson(
            person_id=row.id,
            zone=row.zone,
            residency=Residency(row.residency),
            was_routed=bool(row.owner),
            evidence=tuple(evidence[row.id]),
            interests=tuple(interests[row.id]),
            submitted=tuple(submitted[row.id]),
        )
        for row in rows
    ]


def evidence_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[ResidencyEvidence]]:
    """What was said of the residency of these people, in the order in which it came."""
    said: defaultdict[int, list[ResidencyEvidence]] = defaultdict(list)
    statement = select(ResidencyEvidenceRow.__table__).where(ResidencyEvidenceRow.person_id == func.any(list(ids)))
    for row in connection.execute(statement.order_by(ResidencyEvidenceRow.id)):
        said[row.person_id].append(
            ResidencyEvidence(
                source=row.source,
                said_at=row.said_at,
                stated=Residency(row.stated) if row.stated else None,
                citizenship=Citizenship(row.citizenship) if row.citizenship else None,
                holds_visa=row.holds_visa,
                address_country=row.address_country,
            )
        )
    return said


def _interests_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[KnownInterest]]:
    wanted: defaultdict[int, list[KnownInterest]] = defaultdict(list)
    statement = select(InterestRow.__table__).where(InterestRow.person_id == func.any(list(ids)))
    for row in connection.execute(statement.order_by(InterestRow.id)):
        term = EntryTerm.parse(row.entry_term) if row.entry_term else None
        wanted[row.person_id].append(KnownInterest(row.program, term, row.changed_at))
    return wanted


def _submitted_by(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[SubmittedApplication]]:
    submitted: defaultdict[int, list[SubmittedApplication]] = defaultdict(list)
    statement = select(ApplicationRow.__table__).where(
        ApplicationRow.person_id == func.any(list(ids)),
        ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
    )
    for row in connection.execute(statement.order_by(ApplicationRow.id)):
        submitted[row.person_id].append(SubmittedApplication(row.program, row.entry_term, row.occurred_at))
    return submitted


def record_route(connection: Connection, route: Route, *, person: UnroutedPerson, now: datetime) -> None:
    """Keep a route; its reviews are opened, and an open residency review that is answered is closed."""
    person_id = person.person_id
    values = {"residency": route.residency.value, "owner": route.owner, "route_reason": route.reason}
    spell = _spell_of_unknown(route.residency, person, now)
    connection.execute(
        update(PersonRow).where(PersonRow.id == person_id).values(**values, **spell, needs_routing=False)
    )
    if not any(review.about == RESIDENCY for review in route.reviews):
        close_answered(connection, person_id=person_id, about=RESIDENCY, at=now)
    for review in route.reviews:
        open_review(connection, review, person_id=person_id, now=now)


def _spell_of_unknown(residency: Residency, person: UnroutedPerson, now: datetime) -> dict[str, Any]:
    """Since when and until when the residency is unknown, where this route begins or ends that (R2)."""
    is_unknown, was_unknown = residency is Residency.UNKNOWN, person.residency is Residency.UNKNOWN
    if is_unknown and not person.was_routed:
        return {"unknown_from": PersonRow.arrived_at, "unknown_until": None}
    if is_unknown and not was_unknown:
        return {"unknown_from": now, "unknown_until": None}
    return {"unknown_until": now} if was_unknown and person.was_routed and not is_unknown else {}


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
