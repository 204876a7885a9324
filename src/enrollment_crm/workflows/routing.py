"""Routing: everybody whose evidence has changed gets the route that follows from it, and the dates that go with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, FollowedDeadlines, Round, in_force_at
from enrollment_crm.domain.identity import DEFAULT_RULES, MatchRules
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.late_applications import late_applications, moved_to_past
from enrollment_crm.domain.programs import Cadences, Program
from enrollment_crm.domain.reminders import DuePoint
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.routing import Review, Route, route_person
from enrollment_crm.domain.turns import PersonalTurn
from enrollment_crm.storage.reviews import AskedReview, open_reviews_once
from enrollment_crm.storage.routing import (
    KnownInterest,
    RoutedPerson,
    UnroutedPerson,
    people_without_route,
    record_routes,
    record_turn,
)
from enrollment_crm.workflows.cells import CalendarView, view_calendar
from enrollment_crm.workflows.draining import drained
from enrollment_crm.workflows.identity import match_people
from enrollment_crm.workflows.superseding import supersede_for_person

_PEOPLE_A_TRANSACTION = 20_000


@dataclass(frozen=True)
class Routed:
    """How many people have a (new) route, and how many of them a person must look at."""

    routed: int = 0
    to_review: int = 0

    def __add__(self, other: "Routed") -> "Routed":
        return Routed(self.routed + other.routed, self.to_review + other.to_review)


def route_people(
    engine: Engine,
    programs: Mapping[str, Program],
    *,
    default_program: str,
    rules: MatchRules = DEFAULT_RULES,
    now: datetime,
    dry_run: bool = False,
) -> Routed:
    """Route everybody who waits for it; unknown or contradictory evidence opens a review.

    Before that, records that the rules take for one person become one: a person has one route.
    """
    check_aware(now)
    match_people(engine, rules, now=now, dry_run=dry_run)
    cadences = Cadences(programs, default_program)
    total = Routed()

    def first_half(connection: Connection, _: Callable[[], object]) -> Callable[[], Routed] | None:
        people = people_without_route(connection, limit=_PEOPLE_A_TRANSACTION)
        if not people:
            return None
        routed = [RoutedPerson(person, _decide(person, cadences)) for person in people]
        return partial(_keep, connection, routed, cadences, view_calendar(connection, now))

    for one in drained(engine, first_half, dry_run=dry_run):
        total += one
    return total


def _keep(connection: Connection, routed: Sequence[RoutedPerson], cadences: Cadences, view: CalendarView) -> Routed:
    """Keep the routes of people, and what follows from them."""
    late: list[AskedReview] = []
    for one in routed:
        changes = _changed_dates(one.person, one.route, view) if one.person.was_routed else []
        if changes:
            _turn(connection, one.person, changes, cadences, view)
        reviews = [
            *_late(one.person, one.route, view, cadences.default_program),
            *_moved_to_past(one.person, changes, view.now),
        ]
        late += [AskedReview(one.person.person_id, review) for review in reviews]
    record_routes(connection, routed, now=view.now)
    open_reviews_once(connection, late, now=view.now)
    to_review = {one.person.person_id for one in routed if one.route.reviews} | {one.person_id for one in late}
    return Routed(len(routed), len(to_review))


def _decide(person: UnroutedPerson, cadences: Cadences) -> Route:
    default = cadences.programs[cadences.default_program]
    program = cadences.programs.get(person.interests[0].program, default) if person.interests else default
    terms = [one.entry_term for one in person.interests]
    return route_person(person.evidence, entry_terms=terms, counselors=program.counselors)


@dataclass(frozen=True)
class _ChangedDate:
    """Another date that an interest follows from now on."""

    interest: KnownInterest
    deadline: Deadline


def _changed_dates(person: UnroutedPerson, route: Route, view: CalendarView) -> list[_ChangedDate]:
    """The dates that a change of residency changes; one that stays as it was is no turn (R6)."""
    if route.residency is person.residency:
        return []
    followed = FollowedDeadlines(in_force_at(view.records, view.now), view.now)
    changes = []
    for interest in person.interests:
        for a_round in Round:
            old = _followed(followed, interest, a_round, person.residency)
            new = _followed(followed, interest, a_round, route.residency)
            if new and (old is None or old.stated_date != new.stated_date):
                changes.append(_ChangedDate(interest, new))
    return changes


def _followed(
    followed: FollowedDeadlines, interest: KnownInterest, a_round: Round, residency: Residency
) -> Deadline | None:
    if interest.entry_term is None:
        return None
    return followed.followed_by(DeadlineGroup(interest.program, interest.entry_term, a_round, residency))


def _turn(
    connection: Connection,
    person: UnroutedPerson,
    changes: Sequence[_ChangedDate],
    cadences: Cadences,
    view: CalendarView,
) -> None:
    """What waits for the old date is superseded, and the new one is caught up with (R6, R9)."""
    keys = {(one.interest.program, str(one.interest.entry_term), one.deadline.group.round.value) for one in changes}

    def concerns(point: DuePoint) -> bool:
        return (point.program, point.entry_term, point.round) in keys

    turns = personal_turns_of(person)
    supersede_for_person(connection, cadences, view, person_id=person.person_id, own_turns=turns, concerns=concerns)
    for one in changes:
        if one.interest.entry_term:
            record_turn(
                connection,
                person_id=person.person_id,
                program=one.interest.program,
                entry_term=one.interest.entry_term,
                at=view.now,
            )


def personal_turns_of(person: UnroutedPerson) -> list[PersonalTurn]:
    """The last turn of each interest, as it was before this route."""
    return [
        PersonalTurn(one.changed_at, person.zone, person.residency.value, one.program, str(one.entry_term))
        for one in person.interests
        if one.entry_term
    ]


def _late(person: UnroutedPerson, route: Route, view: CalendarView, default_program: str) -> list[Review]:
    if not person.submitted:
        return []
    deadlines = in_force_at(view.records, view.now)
    return late_applications(person.submitted, deadlines, residency=route.residency, default_program=default_program)


def _moved_to_past(person: UnroutedPerson, changes: Sequence[_ChangedDate], now: datetime) -> list[Review]:
    """Nobody is late who has submitted for the term: whether that was in time, the application's own review says."""
    submitted = {one.entry_term for one in person.submitted}
    reviews = [
        moved_to_past(str(one.interest.entry_term), one.deadline, now)
        for one in changes
        if str(one.interest.entry_term) not in submitted
    ]
    return [review for review in reviews if review]
