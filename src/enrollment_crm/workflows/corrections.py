"""Corrections: a person says something else of themselves than before (R2)."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.deadlines import deadlines_of, in_force_at
from enrollment_crm.domain.facts import Fact
from enrollment_crm.domain.late_applications import moved_to_past
from enrollment_crm.domain.people import Contact
from enrollment_crm.domain.person_facts import facts_of
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.reminders import DuePoint
from enrollment_crm.domain.residency import STAFF, Residency, ResidencyEvidence
from enrollment_crm.domain.staff_actions import StaffAction, StaffActionKind
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.batches import wait_for_other_loaders
from enrollment_crm.storage.corrections import PersonWithTerm, person_with_term, replace_term
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.facts import is_new
from enrollment_crm.storage.people import (
    add_evidence,
    await_routing,
    person_of_address,
    record_of_address,
    say_of_person,
    upsert_person,
)
from enrollment_crm.storage.reviews import open_review_once
from enrollment_crm.storage.staff_actions import record_action
from enrollment_crm.workflows.cells import CalendarView, view_calendar
from enrollment_crm.workflows.inbox import FORM
from enrollment_crm.workflows.people import living_person
from enrollment_crm.workflows.superseding import supersede_for_person


def correct_residency(engine: Engine, email: str, residency: Residency, *, fact: Fact) -> None:
    """A newer answer of the person replaces the older one; the route follows when people are routed next."""
    with transaction(engine) as connection:
        record = record_of_address(connection, address_key(email))
        if record is None or not is_new(connection, fact):
            return
        evidence = ResidencyEvidence(source=FORM, said_at=fact.at, stated=residency)
        add_evidence(connection, person_id=record, evidence=evidence)
        await_routing(connection, record)


def correct_zone(engine: Engine, email: str, time_zone: str, *, country_zones: Mapping[str, str], fact: Fact) -> None:
    """The person lives by another clock from now on (R4)."""
    with transaction(engine) as connection:
        if person_of_address(connection, address_key(email)) is None or not is_new(connection, fact):
            return
        contact = Contact.of_address(email, time_zone=time_zone, source=FORM)
        upsert_person(connection, contact, country_zones=country_zones, now=fact.at)


def correct_entry_term(
    engine: Engine, email: str, old: EntryTerm | None, new: EntryTerm, *, cadences: Cadences, fact: Fact
) -> None:
    """The person wants to begin in another term: it replaces the old one, wherever they named that.

    Who never named the old one just has the new one besides.
    """
    with transaction(engine) as connection:
        person_id = person_of_address(connection, address_key(email))
        if person_id is None or not is_new(connection, fact):
            return
        _replace_term(connection, person_id, (old, new), cadences, view_calendar(connection, fact.at))


def correct_person(
    engine: Engine,
    who: str,
    values: Mapping[str, str],
    *,
    country_zones: Mapping[str, str],
    action: StaffAction,
) -> int:
    """Staff correct what is known of a person: fields of ``domain.person_facts`` and ``residency``; gives their id.

    Each is a statement of staff from now: a source that says something newer replaces it. A residency is a decision.

    Raises:
        UnknownPersonError: there is nobody, or they were erased.
    """
    with transaction(engine) as connection:
        wait_for_other_loaders(connection)
        person_id = living_person(connection, who)
        facts = facts_of(values, source=STAFF, said_at=action.at, received_at=action.at)
        say_of_person(connection, person_id, facts, country_zones=country_zones, now=action.at)
        if "residency" in values:
            evidence = ResidencyEvidence(source=STAFF, said_at=action.at, stated=Residency(values["residency"]))
            add_evidence(connection, person_id=person_id, evidence=evidence, received_at=action.at)
        record_action(connection, StaffActionKind.CORRECTED, action, person_id=person_id)
        return person_id


def correct_term_of(
    engine: Engine, who: str, old: EntryTerm | None, new: EntryTerm, *, cadences: Cadences, action: StaffAction
) -> int:
    """Staff replace an entry term of a person, as ``correct_entry_term`` does; gives their id.

    Raises:
        UnknownPersonError: there is nobody, or they were erased.
    """
    with transaction(engine) as connection:
        wait_for_other_loaders(connection)
        person_id = living_person(connection, who)
        _replace_term(connection, person_id, (old, new), cadences, view_calendar(connection, action.at))
        record_action(connection, StaffActionKind.CORRECTED, action, person_id=person_id)
        return person_id


def _replace_term(
    connection: Connection,
    person_id: int,
    terms: tuple[EntryTerm | None, EntryTerm],
    cadences: Cadences,
    view: CalendarView,
) -> None:
    old, new = terms
    person = person_with_term(connection, person_id, old)
    for program in person.programs or (cadences.default_program,):
        waiting = _waiting_for(program, old)
        supersede_for_person(connection, cadences, view, person_id=person_id, own_turns=person.turns, concerns=waiting)
        replace_term(connection, person, program, old, new, at=view.now)
        _review_past(connection, view, person, program, new)


def _waiting_for(program: str, old: EntryTerm | None) -> Callable[[DuePoint], bool]:
    """What waits for the morning and is about the term that is replaced."""

    def concerns(point: DuePoint) -> bool:
        return (point.program, point.entry_term) == (program, str(old))

    return concerns


def _review_past(
    connection: Connection, view: CalendarView, person: PersonWithTerm, program: str, new: EntryTerm
) -> None:
    theirs = deadlines_of(
        in_force_at(view.records, view.now), program=program, entry_term=new, residency=person.residency, now=view.now
    )
    for deadline in theirs:
        review = moved_to_past(str(new), deadline, view.now)
        if review:
            open_review_once(connection, review, person_id=person.person_id, now=view.now)
