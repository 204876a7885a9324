"""The overview that operations and the demonstration print: people, route, deadline, messages, states."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.deadlines import Deadline, deadlines_of
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.overview import (
    IntakeFacts,
    MessageFacts,
    PersonFacts,
    QuarantineFacts,
    intake_totals,
    messages_of_people,
    people_with_routes,
    quarantined_rows,
)

__all__ = ["IntakeFacts", "MessageFacts", "Overview", "PersonOverview", "overview"]


@dataclass(frozen=True)
class PersonOverview:
    """One person. pii: name, residency."""

    person_id: int
    name: str
    residency: str
    zone: str
    owner: str
    #: Whether they asked for information themselves, and are owed an answer.
    asked: bool
    entry_terms: tuple[str, ...]
    #: The next deadline, in words; empty where none is known or ahead.
    next_deadline: str
    messages: tuple[MessageFacts, ...]


@dataclass(frozen=True)
class Overview:
    """Everything at one instant."""

    people: tuple[PersonOverview, ...]
    quarantine: tuple[QuarantineFacts, ...]
    intake: IntakeFacts
    unrouted: int


def overview(engine: Engine, *, now: datetime) -> Overview:
    """People in order of arrival, with what they were sent; rejected rows with their reasons; the counts."""
    check_aware(now)
    with transaction(engine) as connection:
        deadlines = deadlines_in_force(connection)
        people = people_with_routes(connection)
        messages: defaultdict[int, list[MessageFacts]] = defaultdict(list)
        for one in messages_of_people(connection):
            messages[one.person_id].append(one)
        quarantine, intake = quarantined_rows(connection), intake_totals(connection)
    return Overview(
        people=tuple(_person(one, messages[one.person_id], deadlines, now) for one in people),
        quarantine=tuple(quarantine),
        intake=intake,
        unrouted=sum(one.needs_routing for one in people),
    )


def _person(
    facts: PersonFacts, messages: list[MessageFacts], deadlines: list[Deadline], now: datetime
) -> PersonOverview:
    return PersonOverview(
        person_id=facts.person_id,
        name=facts.name,
        residency=facts.residency.value,
        zone=facts.zone,
        owner=facts.owner,
        asked=facts.asked,
        entry_terms=tuple(term or "not known" for _, term in facts.interests),
        next_deadline=_next_deadline(facts, deadlines, now),
        messages=tuple(messages),
    )


def _next_deadline(facts: PersonFacts, deadlines: list[Deadline], now: datetime) -> str:
    theirs = [
        deadline
        for program, term in facts.interests
        if term
        for deadline in deadlines_of(
            deadlines, program=program, entry_term=EntryTerm.parse(term), residency=facts.residency, now=now
        )
        if deadline.ends_at() > now
    ]
    following = min(theirs, key=lambda one: one.stated_date, default=None)
    if following is None:
        return ""
    return f"{following.group.round.value.replace('_', ' ')} {following.group.entry_term}, {following.stated_date}"
