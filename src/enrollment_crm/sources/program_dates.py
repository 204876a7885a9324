"""The dates of a program's file: patterns for every term, exceptions for one, checked with errors in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from enrollment_crm.domain.deadlines import Deadline, Round
from enrollment_crm.domain.programs import DateException, DatePattern, Program
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm, Season


class DatePatternEntry(BaseModel):
    """A date without a year, as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    season: Season
    round: Round
    residencies: list[Residency] = Field(min_length=1)
    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)
    #: The year of the date: that of the entry term, or the one before.
    year: Literal["same", "previous"]


class DateExceptionEntry(BaseModel):
    """A date of one term that differs from the pattern, as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entry_term: str
    round: Round
    residencies: list[Residency] = Field(min_length=1)
    date: date


def pattern_of(entry: DatePatternEntry) -> DatePattern:
    """The pattern that an entry states."""
    return DatePattern(
        season=entry.season,
        round=entry.round,
        residencies=tuple(entry.residencies),
        month=entry.month,
        day=entry.day,
        in_previous_year=entry.year == "previous",
    )


def exception_of(entry: DateExceptionEntry) -> DateException:
    """The exception that an entry states.

    Raises:
        ValueError: its term is none.
    """
    return DateException(EntryTerm.parse(entry.entry_term), entry.round, tuple(entry.residencies), entry.date)


def dated(program: Program, entry_terms: Sequence[str]) -> Iterable[Deadline]:
    """The dates of a program for the terms that it lists.

    Raises:
        ValueError: a term is none or listed twice, a date does not exist, a group has not exactly one final date, or
            an exception is of another term.
    """
    terms = [EntryTerm.parse(text) for text in entry_terms]
    twice = [str(term) for term, times in Counter(terms).items() if times > 1]
    if twice:
        raise ValueError(f"entry_terms: {', '.join(twice)} is listed twice.")
    _check_exceptions_are_of(terms, program)
    for term in terms:
        _check_dates(term, [one for one in program.date_patterns if one.season is term.season])
        dates = program.deadlines_for(term)
        _check_exceptions(program, term, dates)
        yield from dates


def _check_exceptions_are_of(terms: Sequence[EntryTerm], program: Program) -> None:
    """An exception of a term that the file does not list would be kept, and say nothing to anybody."""
    unknown = sorted({one.entry_term for one in program.date_exceptions} - set(terms))
    if unknown:
        named, listed = ", ".join(map(str, unknown)), ", ".join(map(str, terms))
        are = "is" if len(unknown) == 1 else "are"
        raise ValueError(
            f"date_exceptions: {named} {are} not among entry_terms ({listed}): correct the term, or list it there too."
        )


def _check_exceptions(program: Program, term: EntryTerm, dates: Iterable[Deadline]) -> None:
    """Each exception is one from a pattern, and the only one."""
    has = {(one.group.round, one.group.residency) for one in dates}
    mine = [one for one in program.date_exceptions if one.entry_term == term]
    said = Counter((one.round, residency) for one in mine for residency in one.residencies)
    for (a_round, residency), times in said.items():
        if (a_round, residency) not in has or times > 1:
            why = "twice" if times > 1 else "but no pattern of dates has it"
            raise ValueError(f"date_exceptions: {a_round.value} {term} for {residency.value} is named {why}.")


def _check_dates(term: EntryTerm, patterns: Sequence[DatePattern]) -> None:
    stated = Counter((one.round, residency) for one in patterns for residency in one.residencies)
    if any(residency not in STATED_GROUPS for _, residency in stated):
        raise ValueError(f"{term} has a date for unknown residency: people of unknown residency follow the others'.")
    for residency in STATED_GROUPS:
        finals, early = stated[Round.FINAL, residency], stated[Round.EARLY_ACTION, residency]
        if finals != 1:
            raise ValueError(f"{term} has {finals} final deadlines for {residency.value}: state exactly one.")
        if early > 1:
            raise ValueError(f"{term} has {early} early-action deadlines for {residency.value}: state at most one.")
