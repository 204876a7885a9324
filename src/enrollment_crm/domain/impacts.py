"""Impacts: what a change of dates does to the people of each cell, told before it is made.

Both calendars, as it is and as it would be, are played forward for every kind of person by the rules that the sweeps
follow; the impact is the difference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from enrollment_crm.domain.deadlines import DeadlineGroup, FollowedDeadlines, Round
from enrollment_crm.domain.reminders import DuePoint
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.withholding import WithholdReason

#: Program, entry term and round.
RoundKey = tuple[str, str, str]
#: A stated date and an offset: what is left of a key of R5 within a round.
PointKey = tuple[date, str]


@dataclass(frozen=True)
class PeopleGroup:
    """People of one zone, group and round whom the rules treat alike."""

    zone: str
    residency: str
    round: RoundKey
    people: int
    #: What withholds reminders from them (R7); None: nothing.
    withheld: str | None
    #: Whether something withholds notices of moved dates.
    not_told: bool
    #: Since when they want it, and when something changed for them last; None: before anything that matters here.
    since: datetime | None
    changed_at: datetime | None
    #: When they last had a reminder of this round, as exact as the points that could be missed; None: before them.
    last_sent: datetime | None
    #: What is settled already.
    covered: frozenset[PointKey]
    #: Reminders that they had, all together, by the date that was stated.
    sent: Mapping[date, int]
    #: The hand-overs (R2) at which they were of unknown residency.
    unknown_at: frozenset[datetime]


@dataclass(frozen=True)
class Figures:
    """Counts of people, and of reminders where it says so."""

    #: Who follow the date.
    people: int = 0
    #: Of them, from whom everything is withheld (R7).
    withheld: int = 0
    #: Reminders that will go out on their time, and would not without the change.
    to_come: int = 0
    #: Reminders that will not go out, and would without the change.
    withdrawn: int = 0
    #: Who have had a reminder of the date in force so far, and how many reminders.
    reminded_people: int = 0
    reminders_sent: int = 0
    #: Who get the newest missed reminder at once, or when their morning comes (R6).
    catch_up_at_once: int = 0
    catch_up_in_the_morning: int = 0
    #: Who get none: the next one is too near, or too little would be left.
    too_close: int = 0
    too_late: int = 0
    #: Who are told at once that the date has moved (R9).
    notices: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True)
class CellImpact:
    """What a change does to the people of one group in one round."""

    program: str
    entry_term: str
    round: str
    residency: str
    #: The dates that they follow before and after; None: they have none.
    old_date: date | None
    new_date: date | None
    figures: Figures


@dataclass(frozen=True)
class World:
    """A calendar played forward: zone -> what is due from now on, and who follows which date now."""

    points: Mapping[str, Sequence[DuePoint]]
    followed: FollowedDeadlines


def played_forward(points: Iterable[DuePoint], group: PeopleGroup, now: datetime) -> dict[PointKey, DuePoint]:
    """What becomes of these points for these people, if nothing else happens: each key with the point that settles it.

    Args:
        points: of their round and residency, in the order in which they fall due.
    """
    settled: dict[PointKey, DuePoint] = {}
    last_sent, sent_in_sweep, sweep = group.last_sent, group.last_sent, now
    for point in points:
        if point.due_at > sweep:
            sweep, last_sent = point.due_at, sent_in_sweep
        key = point.stated_date, point.offset
        if key in settled or key in group.covered or not _is_for(point, group):
            continue
        if point.catch_up and last_sent is not None and last_sent >= point.instant:
            continue
        settled[key] = point
        if point.withheld is None and group.withheld is None:
            sent_in_sweep = sweep
    return settled


def _is_for(point: DuePoint, group: PeopleGroup) -> bool:
    """R2, R5, R6: they were there, nothing changed for them since, and the date was not handed to them later."""
    if group.since and group.since > point.there_by:
        return False
    if group.changed_at and group.changed_at > point.there_by:
        return False
    if point.changed_at is not None and group.changed_at != point.changed_at:
        return False
    return point.handed_over not in group.unknown_at


def impacts(before: World, after: World, groups: Iterable[PeopleGroup], now: datetime) -> list[CellImpact]:
    """The difference between two calendars, cell by cell; a cell that notices nothing is left out."""
    of_before, of_after = _by_cell(before.points), _by_cell(after.points)
    found: dict[DeadlineGroup, Figures] = {}
    for group in groups:
        cell = _cell(group)
        key = (group.zone, *group.round, group.residency)
        settled_before = played_forward(of_before.get(key, ()), group, now)
        settled_after = played_forward(of_after.get(key, ()), group, now)
        old, new = before.followed.followed_by(cell), after.followed.followed_by(cell)
        dates = (old.stated_date if old else None, new.stated_date if new else None)
        found[cell] = found.get(cell, Figures()) + _figures(group, dates, settled_before, settled_after, now)
    return list(_told(found, before, after))


def _told(found: Mapping[DeadlineGroup, Figures], before: World, after: World) -> Iterator[CellImpact]:
    cells = {DeadlineGroup(*key, residency) for key in after.followed.rounds() for residency in Residency}
    cells |= {DeadlineGroup(*key, residency) for key in before.followed.rounds() for residency in Residency}
    for cell in sorted(cells):
        old, new = before.followed.followed_by(cell), after.followed.followed_by(cell)
        dates = (old.stated_date if old else None, new.stated_date if new else None)
        figures = found.get(cell, Figures())
        if dates[0] != dates[1] or figures.to_come or figures.withdrawn:
            yield CellImpact(
                cell.program, str(cell.entry_term), cell.round.value, cell.residency.value, *dates, figures
            )


def _figures(
    group: PeopleGroup,
    dates: tuple[date | None, date | None],
    before: Mapping[PointKey, DuePoint],
    after: Mapping[PointKey, DuePoint],
    now: datetime,
) -> Figures:
    old_date, new_date = dates
    reminded = group.sent.get(old_date, 0) if old_date else 0
    moved = old_date is not None and new_date is not None and old_date != new_date
    seen = Figures(
        people=group.people,
        withheld=group.people if group.withheld else 0,
        reminded_people=group.people if reminded else 0,
        reminders_sent=reminded,
        notices=group.people if moved and reminded and not group.not_told else 0,
    )
    return seen if group.withheld else seen + _reminders(group.people, before, after, now)


def _reminders(
    people: int, before: Mapping[PointKey, DuePoint], after: Mapping[PointKey, DuePoint], now: datetime
) -> Figures:
    going_before = {key for key, point in before.items() if point.withheld is None}
    going_after = {key for key, point in after.items() if point.withheld is None}
    new = [after[key] for key in going_after - going_before]
    missed = [point for point in new if point.catch_up]
    dropped = {point.withheld for key, point in after.items() if key not in before}
    return Figures(
        to_come=people * (len(new) - len(missed)),
        withdrawn=people * len(going_before - going_after),
        catch_up_at_once=people * sum(point.due_at <= now for point in missed),
        catch_up_in_the_morning=people * sum(point.due_at > now for point in missed),
        too_close=people if WithholdReason.TOO_CLOSE_TO_NEXT in dropped else 0,
        too_late=people if WithholdReason.TOO_LATE in dropped else 0,
    )


def _by_cell(points: Mapping[str, Sequence[DuePoint]]) -> dict[tuple[str, ...], list[DuePoint]]:
    found: dict[tuple[str, ...], list[DuePoint]] = {}
    for zone, due in points.items():
        for point in due:
            key = (zone, point.program, point.entry_term, point.round, point.residency)
            found.setdefault(key, []).append(point)
    return found


def _cell(group: PeopleGroup) -> DeadlineGroup:
    program, entry_term, a_round = group.round
    return DeadlineGroup(program, EntryTerm.parse(entry_term), Round(a_round), Residency(group.residency))
