"""Routing: who waits for a route, what was said of them, and the route that was decided."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.residency import Citizenship, Residency, ResidencyEvidence
from enrollment_crm.domain.routing import Review, Route
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.models import InterestRow, PersonRow, ResidencyEvidenceRow, ReviewRow


@dataclass(frozen=True)
class UnroutedPerson:
    """A person who waits for a route, with what it follows from."""

    person_id: int
    program: str | None
    evidence: tuple[ResidencyEvidence, ...]
    entry_terms: tuple[EntryTerm | None, ...]


def people_without_route(connection: Connection, *, limit: int) -> list[UnroutedPerson]:
    """People whose route is to be decided (again), locked for this transaction."""
    waiting = (
        select(PersonRow.id)
        .where(PersonRow.needs_routing)
        .order_by(PersonRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(waiting).scalars())
    evidence = _evidence_of(connection, ids)
    interests = _interests_of(connection, ids)
    return [
        UnroutedPerson(
            person_id=one,
            program=interests[one][0][0] if interests[one] else None,
            evidence=tuple(evidence[one]),
            entry_terms=tuple(term for _, term in interests[one]),
        )
        for one in ids
    ]


def _evidence_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[ResidencyEvidence]]:
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


def _interests_of(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[tuple[str, EntryTerm | None]]]:
    wanted: defaultdict[int, list[tuple[str, EntryTerm | None]]] = defaultdict(list)
    statement = select(InterestRow.person_id, InterestRow.program, InterestRow.entry_term).where(
        InterestRow.person_id == func.any(list(ids))
    )
    for row in connection.execute(statement.order_by(InterestRow.id)):
        wanted[row.person_id].append((row.program, EntryTerm.parse(row.entry_term) if row.entry_term else None))
    return wanted


def record_route(connection: Connection, route: Route, *, person_id: int, now: datetime) -> None:
    """Keep a route; its reviews are opened, and an open residency review that is answered is closed."""
    connection.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id)
        .values(residency=route.residency.value, owner=route.owner, route_reason=route.reason, needs_routing=False)
    )
    if not any(review.about == "residency" for review in route.reviews):
        connection.execute(
            update(ReviewRow)
            .where(
                ReviewRow.person_id == person_id,
                ReviewRow.about == "residency",
                ReviewRow.closed_at.is_(None),
            )
            .values(closed_at=now)
        )
    for review in route.reviews:
        open_review(connection, review, person_id=person_id, now=now)


def open_review(connection: Connection, review: Review, *, person_id: int, now: datetime) -> None:
    """Ask a person to decide; the same question is asked once, with the newest detail."""
    statement = insert_or_update(ReviewRow).values(
        person_id=person_id, about=review.about, detail=review.detail, opened_at=now
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ReviewRow.person_id, ReviewRow.about],
            index_where=ReviewRow.closed_at.is_(None),
            set_={"detail": statement.excluded.detail},
        )
    )
