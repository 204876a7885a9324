"""Turns: the instants (the *c* of R6) at which somebody's calendar changes, or runs again after a standstill."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from enrollment_crm.domain.deadlines import (
    Deadline,
    DeadlineGroup,
    DeadlineRecord,
    FollowedDeadlines,
    Round,
    in_force_at,
    in_force_before,
)
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm

#: A catch-up waits for the morning at most this long, in whatever zone and on whatever night.
LONGEST_WAIT = timedelta(hours=26)


@dataclass(frozen=True)
class Outage:
    """Nothing ran after ``began``; the end is the turn of everybody whose point or turn fell into it."""

    began: datetime
    ended: datetime


@dataclass(frozen=True)
class DateChange:
    """A date came into force: the turn of everybody who follows another date from then on (R9)."""

    at: datetime


@dataclass(frozen=True)
class PersonalTurn:
    """Something changed for the people of one cell at one instant: they arrived, or what they said did.

    Of a stretch of turns that the rules treat alike (see ``domain.stretches``) the last, with the first.
    """

    at: datetime
    zone: str
    residency: str
    program: str
    entry_term: str
    #: The first of the stretch; None: it is one turn.
    began: datetime | None = None


Turn = Outage | DateChange | PersonalTurn


@dataclass(frozen=True)
class Turned:
    """A date that somebody has to catch up with, and who."""

    deadline: Deadline
    #: The group of people; those of unknown residency follow a date stated for another one (R2).
    residency: Residency
    at: datetime
    #: Only those whose last change was at the turn, or in the stretch that began before it.
    personal: bool
    #: When the date followed by people of unknown residency changed hands last: what lies before is never caught up.
    handed_over: datetime | None
    began: datetime | None = None


def date_changes(records: Iterable[DeadlineRecord], *, since: datetime, until: datetime) -> list[DateChange]:
    """The turns in ``[since, until]`` that dates coming into force made, or going out of it.

    Where a date is cancelled, people of unknown residency may follow the next one from then on (R2).
    """
    instants = {one.in_force_from for one in records} | {one.replaced_at for one in records if one.replaced_at}
    return [DateChange(instant) for instant in sorted(instants) if since <= instant <= until]


def turned(turn: Turn, records: Sequence[DeadlineRecord]) -> Iterator[Turned]:
    """The dates that a turn concerns, for each group of people that follows them then."""
    match turn:
        case Outage():
            yield from _after_outage(turn, records)
        case DateChange():
            yield from _after_date_change(turn, records)
        case PersonalTurn():
            yield from _after_personal_turn(turn, records)


def _after_outage(outage: Outage, records: Sequence[DeadlineRecord]) -> Iterator[Turned]:
    followed = FollowedDeadlines(in_force_at(records, outage.ended), outage.ended)
    for group in _groups(followed.rounds()):
        deadline = followed.followed_by(group)
        if deadline and deadline.ends_at() > outage.began:
            yield _turned(followed, group, deadline, outage.ended)
        if group.residency is Residency.UNKNOWN:
            # Followed while nobody looked, and over by now: what was missed of them is recorded.
            for over in followed.over_since(group, outage.began):
                yield Turned(over, group.residency, outage.ended, personal=False, handed_over=None)


def _after_date_change(change: DateChange, records: Sequence[DeadlineRecord]) -> Iterator[Turned]:
    before = FollowedDeadlines(in_force_before(records, change.at), change.at)
    followed = FollowedDeadlines(in_force_at(records, change.at), change.at)
    for group in _groups(followed.rounds()):
        deadline, old = followed.followed_by(group), before.followed_by(group)
        if deadline and (old is None or old.stated_date != deadline.stated_date):
            yield _turned(followed, group, deadline, change.at)


def _after_personal_turn(turn: PersonalTurn, records: Sequence[DeadlineRecord]) -> Iterator[Turned]:
    followed = FollowedDeadlines(in_force_at(records, turn.at), turn.at)
    for a_round in Round:
        group = DeadlineGroup(turn.program, EntryTerm.parse(turn.entry_term), a_round, Residency(turn.residency))
        deadline = followed.followed_by(group)
        if deadline:
            yield replace(_turned(followed, group, deadline, turn.at, personal=True), began=turn.began or turn.at)


def _turned(
    followed: FollowedDeadlines, group: DeadlineGroup, deadline: Deadline, at: datetime, *, personal: bool = False
) -> Turned:
    return Turned(deadline, group.residency, at, personal, followed.last_hand_over(group))


def _groups(rounds: Iterable[tuple[str, EntryTerm, Round]]) -> Iterator[DeadlineGroup]:
    for program, entry_term, a_round in rounds:
        for residency in Residency:
            yield DeadlineGroup(program, entry_term, a_round, residency)
