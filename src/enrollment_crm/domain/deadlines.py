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
    #: IANA zone on whose clock the stated date ends.
    cut_off_zone: str = HOME_ZONE

    def ends_at(self) -> datetime:
        """The first instant (UTC) that is too late."""
        return ends_at(self.stated_date, self.cut_off_zone)


def ends_at(stated_date: date, cut_off_zone: str = HOME_ZONE) -> datetime:
    """The cut-off of a stated date: the midnight after it in the cut-off zone (R1), as an instant (UTC)."""
    return instant_of(stated_date + timedelta(days=1), time(0), ZoneInfo(cut_off_zone))


@dataclass(frozen=True)
class DeadlineRecord:
    """A date and the span in which it was in force: from the first instant on, up to and without the second."""

    deadline: Deadline
    in_force_from: datetime
    replaced_at: datetime | None = None


def in_force_at(records: Iterable[DeadlineRecord], instant: datetime) -> list[Deadline]:
    """The dates in force at an instant; a change counts from its own instant on."""
    return [
        one.deadline
        for one in records
        if one.in_force_from <= instant and (one.replaced_at is None or one.replaced_at > instant)
    ]


def in_force_before(records: Iterable[DeadlineRecord], instant: datetime) -> list[Deadline]:
    """The dates in force right before an instant: what a change at that instant changed."""
    return [
        one.deadline
        for one in records
        if one.in_force_from < instant and (one.replaced_at is None or one.replaced_at >= instant)
    ]


class FollowedDeadlines:
    """R2: who follows which date at one instant. ``None`` where a group has none.

    People of a stated group follow its date, also when it is over. Those of unknown residency follow the earliest
    date of the round that is still ahead.
    """

    def __init__(self, deadlines: Iterable[Deadline], now: datetime) -> None:
        self._now = now
        self._rounds: dict[tuple[str, EntryTerm, Round], list[Deadline]] = {}
        for one in deadlines:
            group = one.group
            self._rounds.setdefault((group.program, group.entry_term, group.round), []).append(one)

    def rounds(self) -> Iterable[tuple[str, EntryTerm, Round]]:
        """Program, term and round of every date."""
        return self._rounds

    def deadlines(self) -> Iterable[Deadline]:
        """Every date."""
        return (one for candidates in self._rounds.values() for one in candidates)

    def followed_by(self, group: DeadlineGroup) -> Deadline | None:
        """The date that people of this group follow; ``group.residency`` may be unknown."""
        candidates = self._rounds.get((group.program, group.entry_term, group.round), [])
        if group.residency in STATED_GROUPS:
            return next((d for d in candidates if d.group.residency is group.residency), None)
        return earliest_ahead(candidates, self._now)

    def over_since(self, group: DeadlineGroup, instant: datetime) -> list[Deadline]:
        """The dates of a round that people of unknown residency followed until they were over, one a date."""
        candidates = self._rounds.get((group.program, group.entry_term, group.round), [])
        over = {d.stated_date: d for d in candidates if instant < d.ends_at() <= self._now}
        return [over[day] for day in sorted(over)]

    def last_hand_over(self, group: DeadlineGroup) -> datetime | None:
        """When the date followed by people of unknown residency changed hands last, because one was over (R2)."""
        candidates = self._rounds.get((group.program, group.entry_term, group.round), [])
        return max((d.ends_at() for d in candidates if d.ends_at() <= self._now), default=None)


def deadlines_of(
    deadlines: Iterable[Deadline], *, program: str, entry_term: EntryTerm, residency: Residency, now: datetime
) -> list[Deadline]:
    """R2: the deadlines that are a person's for one program and term, at most one a round, earliest first.

    Residency unknown: of each round the earliest date still ahead at ``now``.
    """
    followed = FollowedDeadlines(deadlines, now)
    chosen = (followed.followed_by(DeadlineGroup(program, entry_term, one, residency)) for one in Round)
    return sorted((d for d in chosen if d is not None), key=lambda d: d.stated_date)


def earliest_ahead(deadlines: Iterable[Deadline], now: datetime) -> Deadline | None:
    """Of the dates of one round, the one that people of unknown residency follow at ``now`` (R2)."""
    ahead = [d for d in deadlines if d.ends_at() > now]
    return min(ahead, key=lambda d: (d.stated_date, d.group.residency.value), default=None)
