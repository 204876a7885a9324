"""Routing: everybody whose evidence has changed gets the route that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.routing import route_person
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.routing import people_without_route, record_route

_PEOPLE_A_TRANSACTION = 5_000


@dataclass(frozen=True)
class Routed:
    """How many people have a (new) route, and how many of them a person must look at."""

    routed: int = 0
    to_review: int = 0


def route_people(
    engine: Engine,
    programs: Mapping[str, Program],
    *,
    default_program: str,
    now: datetime,
    dry_run: bool = False,
) -> Routed:
    """Route everybody who waits for it; unknown or contradictory evidence opens a review."""
    check_aware(now)
    total = Routed()
    while True:
        with transaction(engine, dry_run=dry_run) as connection:
            people = people_without_route(connection, limit=_PEOPLE_A_TRANSACTION)
            to_review = 0
            for person in people:
                program = programs.get(person.program or default_program, programs[default_program])
                route = route_person(person.evidence, entry_terms=person.entry_terms, counselors=program.counselors)
                record_route(connection, route, person_id=person.person_id, now=now)
                to_review += bool(route.reviews)
        total = Routed(total.routed + len(people), total.to_review + to_review)
        if not people or dry_run:
            return total
