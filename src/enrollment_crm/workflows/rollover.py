"""Rollover: the next cycle's dates, stored unconfirmed, and confirmed by a person through a plan."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Engine

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.proposals import Proposal, ProposalError
from enrollment_crm.domain.rollover import DateToConfirm, check_is_ahead, next_terms, to_confirm
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.storage.calendar_changes import lock_calendar
from enrollment_crm.storage.deadlines import add_unconfirmed_deadlines, deadlines_in_force, unconfirmed_deadlines
from enrollment_crm.storage.engine import transaction

#: Where dates were read that nobody has read anywhere yet.
ROLLOVER = "rollover"


@dataclass(frozen=True)
class RolledOver:
    """What a rollover did: the terms it made dates for, how many were new, and all that wait to be confirmed."""

    entry_terms: tuple[str, ...]
    added: int
    waiting: tuple[DateToConfirm, ...]
    #: Terms that needed nothing, in words.
    remarks: tuple[str, ...] = ()


def roll_over(
    engine: Engine, programs: Iterable[Program], *, entry_term: EntryTerm | None = None, now: datetime
) -> RolledOver:
    """Make the dates of the next terms (or of one) from the patterns of the programs. Nothing is sent for them.

    Twice adds nothing: a group that has a date, in force or waiting, is left alone.

    Raises:
        ProposalError: a date does not exist in its year, all dates of a term are past, or there is no term to follow;
            nothing is stored.
    """
    check_aware(now)
    with transaction(engine) as connection:
        lock_calendar(connection)
        in_force = deadlines_in_force(connection)
        dated = {one.group for one in in_force}
        added, terms, keys, remarks = 0, set(), set(), []
        for program in programs:
            keys.add(program.key)
            for term in [entry_term] if entry_term else next_terms(program, in_force):
                dates = _dates_of(program, term)
                check_is_ahead(program, term, dates, now=now)
                missing = [one for one in dates if one.group not in dated]
                remarks += [] if missing else [_has_its_dates(program, term)]
                added += add_unconfirmed_deadlines(connection, missing, source=f"{ROLLOVER}: {program.source}")
                terms.add(term)
        if not terms:
            raise ProposalError("No term is in force that another could follow: name one with --term.")
        waiting = [one for one in unconfirmed_deadlines(connection) if one.group.program in keys]
        mine = [one for one in waiting if one.group.entry_term in terms]
        return RolledOver(
            tuple(map(str, sorted(terms))), added, tuple(to_confirm(mine, in_force, now=now)), tuple(remarks)
        )


def _has_its_dates(program: Program, term: EntryTerm) -> str:
    return (
        f"{program.key}: {term} has all its dates in force already. To see them: enrollment-crm calendar show --term "
        f'"{term}"; to move one: enrollment-crm calendar plan.'
    )


def _dates_of(program: Program, term: EntryTerm) -> list[Deadline]:
    try:
        dates = program.deadlines_for(term)
    except ValueError as error:
        raise ProposalError(f"{program.key}: {error}") from error
    if not dates:
        raise ProposalError(f"{program.key} has no dates for {term.season.value} terms: add them to its file.")
    return dates


def waiting_dates(engine: Engine, *, now: datetime) -> list[DateToConfirm]:
    """Every date that waits for a person."""
    check_aware(now)
    with transaction(engine) as connection:
        return to_confirm(unconfirmed_deadlines(connection), deadlines_in_force(connection), now=now)


def confirmation(
    waiting: Iterable[DateToConfirm],
    chosen: Callable[[DeadlineGroup], bool],
    programs: Mapping[str, Program],
    *,
    stated_date: date | None = None,
) -> Proposal:
    """The proposal to bring dates that wait into force, as they are or with another date.

    Raises:
        ProposalError: none of them was chosen.
    """
    dates = [one.deadline for one in waiting if chosen(one.deadline.group)]
    if not dates:
        raise ProposalError("No such date waits to be confirmed: see `enrollment-crm calendar show`.")
    if stated_date:
        dates = [replace(one, stated_date=stated_date) for one in dates]
    sources = {key: f"{ROLLOVER}: {program.source}" for key, program in programs.items()}
    return Proposal(ROLLOVER, deadlines=tuple(dates), sources=sources)
