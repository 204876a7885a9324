"""A small calendar for tests of the domain: the dates that the program page fixes for two terms."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, DeadlineRecord, Round
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm

NEW_YORK, SHANGHAI = "America/New_York", "Asia/Shanghai"
PROGRAM = "ms-test"
#: Dates are in force long before anything happens.
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def deadline(
    day: str, residency: Residency, *, term: str = "spring 2026", a_round: Round = Round.FINAL, version: int = 1
) -> Deadline:
    """A date of one group."""
    group = DeadlineGroup(PROGRAM, EntryTerm.parse(term), a_round, residency)
    return Deadline(group, date.fromisoformat(day), version)


SPRING = [
    deadline("2025-12-01", Residency.DOMESTIC),
    deadline("2025-12-01", Residency.INTERNATIONAL_INSIDE_US),
    deadline("2025-11-01", Residency.INTERNATIONAL_OUTSIDE_US),
]
EARLY_FALL = [deadline("2025-12-01", group, term="fall 2026", a_round=Round.EARLY_ACTION) for group in STATED_GROUPS]


def at(text: str) -> datetime:
    """An instant, written with its offset."""
    return datetime.fromisoformat(text)


def in_force(deadlines: Iterable[Deadline], since: datetime = LONG_AGO) -> list[DeadlineRecord]:
    """These dates, in force from an instant on and not replaced."""
    return [DeadlineRecord(one, since) for one in deadlines]


def moved(old: Iterable[Deadline], new: Iterable[Deadline], at_instant: datetime) -> list[DeadlineRecord]:
    """Dates that were replaced by others at an instant."""
    return [*(DeadlineRecord(one, LONG_AGO, at_instant) for one in old), *in_force(new, at_instant)]
