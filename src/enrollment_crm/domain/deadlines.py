"""Deadlines: dates by program, entry term, round and residency; versioned data, never code (R1, R2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from enrollment_crm.domain.instants import instant_of
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.zones import HOME_ZONE


class Round(StrEnum):
    """Which of a term's deadlines it is."""

    #: The early date of a fall term, the same for everyone.
    EARLY_ACTION = "early_action"
    #: The last date for full consideration, by residency.
    FINAL = "final"


@dataclass(frozen=True, order=True)
class DeadlineGroup:
    """What a date is stated for: the same date can be the deadline of several groups, and stays several deadlines."""

    program: str
    entry_term: EntryTerm
    round: Round
    residency: Residency


@dataclass(frozen=True)
class Deadline:
    """A stated date of one group, in force. ``version`` counts the dates that this group has had."""

    group: DeadlineGroup
    stated_date: date
    version: int = 1

    def ends_at(self) -> datetime:
        """The first instant (UTC) that is too late."""
        return ends_at(self.stated_date)


def ends_at(stated_date: date) -> datetime:
    """The cut-off of a stated date: the midnight after it in New York (R1), as an instant (UTC)."""
    return instant_of(stated_date + timedelta(days=1), time(0), ZoneInfo(HOME_ZONE))


def deadlines_of(
    deadlines: Iterable[Deadline], *, program: str, entry_term: EntryTerm, residency: Residency, now: datetime
) -> list[Deadline]:
    """R2: the deadlines that are a person's for one program and term, at most one a round, earliest first.

    Residency unknown: of each round the earliest date still ahead at ``now``.
    """
    theirs = [d for d in deadlines if d.group.program == program and d.group.entry_term == entry_term]
    chosen = (_of_round(theirs, a_round, residency, now) for a_round in Round)
    return sorted((d for d in chosen if d is not None), key=lambda d: d.stated_date)


def _of_round(deadlines: list[Deadline], a_round: Round, residency: Residency, now: datetime) -> Deadline | None:
    candidates = [d for d in deadlines if d.group.round is a_round]
    if residency in STATED_GROUPS:
        return next((d for d in candidates if d.group.residency is residency), None)
    return earliest_ahead(candidates, now)


def earliest_ahead(deadlines: Iterable[Deadline], now: datetime) -> Deadline | None:
    """Of the dates of one round, the one that people of unknown residency follow at ``now`` (R2)."""
    ahead = [d for d in deadlines if d.ends_at() > now]
    return min(ahead, key=lambda d: (d.stated_date, d.group.residency.value), default=None)
