"""Notices: a date that people were reminded of has moved (R9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from enrollment_crm.domain.deadlines import (
    DeadlineGroup,
    DeadlineRecord,
    FollowedDeadlines,
    in_force_at,
    in_force_before,
)
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.turns import DateChange


@dataclass(frozen=True)
class MovedDate:
    """A date that moved for one group of people, at one instant; to be told to those who were reminded of the old."""

    program: str
    entry_term: str
    round: str
    residency: str
    old_date: date
    new_date: date
    version: int
    at: datetime

    @property
    def offset(self) -> str:
        """What tells two moves to the same date apart in the key of R5."""
        return f"v{self.version}"


def moved_dates(changes: Sequence[DateChange], records: Sequence[DeadlineRecord]) -> list[MovedDate]:
    """The dates that changes moved, for each group of people that followed the old one and follows the new one.

    Several changes are told as one: from what stood before the first to what stands after the last, so that nobody
    hears of a date that holds no more. A group that had no date before, or has the same one after, is told nothing.

    Args:
        changes: in order of time.
    """
    if not changes:
        return []
    first, last = changes[0].at, changes[-1].at
    # Both as of one instant: that a date is over meanwhile moves nobody's (R2).
    before = FollowedDeadlines(in_force_before(records, first), last)
    after = FollowedDeadlines(in_force_at(records, last), last)
    found = []
    for program, entry_term, a_round in after.rounds():
        for residency in Residency:
            group = DeadlineGroup(program, entry_term, a_round, residency)
            old, new = before.followed_by(group), after.followed_by(group)
            if old and new and old.stated_date != new.stated_date:
                found.append(
                    MovedDate(
                        program=program,
                        entry_term=str(entry_term),
                        round=a_round.value,
                        residency=residency.value,
                        old_date=old.stated_date,
                        new_date=new.stated_date,
                        version=new.version,
                        at=last,
                    )
                )
    return found


def name_of_moved_date(moved: MovedDate) -> str:
    """What operations read in the grid: ``moved: final spring 2027 to 2026-12-15 · domestic``."""
    what = f"{moved.round.replace('_', ' ')} {moved.entry_term} to {moved.new_date}"
    return f"moved: {what} · {moved.residency.replace('_', ' ')}"
