"""Rollover: the dates of the next cycle, made of the patterns; a person confirms each before it counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.proposals import ProposalError
from enrollment_crm.domain.terms import EntryTerm, Season

_SATURDAY = 5


@dataclass(frozen=True)
class DateToConfirm:
    """A date that waits for a person, and what that person should look at twice."""

    deadline: Deadline
    warnings: tuple[str, ...]


def next_terms(program: Program, in_force: Iterable[Deadline]) -> list[EntryTerm]:
    """The terms after the last one in force, one of each season that the program admits in.

    Where nothing is in force there is nothing to follow: name the term.
    """
    theirs = [one.group.entry_term for one in in_force if one.group.program == program.key]
    last = max(theirs, default=None)
    if last is None:
        return []
    seasons = {pattern.season for pattern in program.date_patterns}
    return sorted(_following(last, season) for season in seasons)


def _following(last: EntryTerm, season: Season) -> EntryTerm:
    same_year = EntryTerm(last.year, season)
    return same_year if last < same_year else EntryTerm(last.year + 1, season)


def check_is_ahead(program: Program, entry_term: EntryTerm, dates: Sequence[Deadline], *, now: datetime) -> None:
    """Nothing, where a date of the term is still ahead.

    Raises:
        ProposalError: all of them are past.
    """
    last = max(dates, key=lambda one: one.ends_at())
    if last.ends_at() <= now:
        raise ProposalError(
            f"{program.key}: {entry_term} is past, its last date would be {last.stated_date.isoformat()}. Nothing was "
            "added: name a term that is ahead with --term."
        )


def to_confirm(waiting: Iterable[Deadline], in_force: Sequence[Deadline], *, now: datetime) -> list[DateToConfirm]:
    """The dates that wait, earliest first, with warnings: past, a weekend, or another day than in the cycle before."""
    before = {one.group: one.stated_date for one in in_force}
    return [
        DateToConfirm(one, tuple(_warnings(one, before.get(_cycle_before(one.group)), now)))
        for one in sorted(waiting, key=lambda one: (one.stated_date, one.group))
    ]


def _cycle_before(group: DeadlineGroup) -> DeadlineGroup:
    term = EntryTerm(group.entry_term.year - 1, group.entry_term.season)
    return DeadlineGroup(group.program, term, group.round, group.residency)


def _warnings(deadline: Deadline, last_cycle: date | None, now: datetime) -> Iterable[str]:
    if deadline.ends_at() <= now:
        yield "past: no reminder goes out for it, and who applies is late"
    if deadline.stated_date.weekday() >= _SATURDAY:
        yield f"a {deadline.stated_date:%A}"
    if last_cycle is None:
        yield "the cycle before had none"
        return
    days = (deadline.stated_date - a_year_after(last_cycle)).days
    if days:
        how = f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'later' if days > 0 else 'earlier'}"
        yield f"{how} in its year than in the cycle before ({last_cycle.isoformat()})"


def a_year_after(day: date) -> date:
    """The same day of the next year; of 29 February the 1 March."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28) + timedelta(days=1)
