"""Corrections: one entry term instead of another."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.turns import PersonalTurn
from enrollment_crm.storage.models import InterestRow, PersonRow
from enrollment_crm.storage.people import add_interest


@dataclass(frozen=True)
class PersonWithTerm:
    """A person, locked, with the programs for which they named a term, and the turns of all their interests."""

    person_id: int
    residency: Residency
    programs: tuple[str, ...]
    turns: tuple[PersonalTurn, ...]


def person_with_term(connection: Connection, person_id: int, entry_term: EntryTerm | None) -> PersonWithTerm:
    """The person, and the programs of theirs with this term."""
    person = connection.execute(
        select(PersonRow.zone, PersonRow.residency).where(PersonRow.id == person_id).with_for_update()
    ).one()
    rows = connection.execute(
        select(InterestRow.program, InterestRow.entry_term, InterestRow.changed_at)
        .where(InterestRow.person_id == person_id)
        .order_by(InterestRow.id)
    ).all()
    named = str(entry_term) if entry_term else None
    return PersonWithTerm(
        person_id=person_id,
        residency=Residency(person.residency),
        programs=tuple(row.program for row in rows if row.entry_term == named),
        turns=tuple(
            PersonalTurn(row.changed_at, person.zone, person.residency, row.program, row.entry_term)
            for row in rows
            if row.entry_term
        ),
    )


def replace_term(
    connection: Connection, person: PersonWithTerm, program: str, old: EntryTerm | None, new: EntryTerm, *, at: datetime
) -> None:
    """One term of a program becomes another: a turn of R6 for the new one."""
    named = InterestRow.entry_term == str(old) if old else InterestRow.entry_term.is_(None)
    theirs = (InterestRow.person_id == person.person_id) & (InterestRow.program == program)
    connection.execute(delete(InterestRow).where(theirs, named))
    add_interest(
        connection,
        person_id=person.person_id,
        program=program,
        entry_term=str(new),
        since=at,
        asked_for_information=False,
    )
