"""Impacts: what a change of dates does to the people of each cell, told before it is made.

Both calendars, as it is and as it would be, are played forward for every kind of person by the rules that the sweeps
follow; the impact is the difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
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
    #: The last of the instants asked about at which a pause still lasts, and the first at which their consent is over.
    paused_through: datetime | None
    consent_over_from: datetime | None
    #: Since when they want it, and when something changed for them last: as exact as the turns and points that could
    #: concern them; None: before all of these.
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

    def is_left_alone_at(self, instant: datetime) -> bool:
        """R7: a pause or the end of their consent withholds what comes by itself then."""
        is_paused = self.paused_through is not None and instant <= self.paused_through
        is_over = self.consent_over_from is not None and instant >= self.consent_over_from
        return is_paused or is_over


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
    #: Of deadline reminders, and of the notices that the date has moved.
    figures: Figures
    #: Of checklist reminders, for those of the cell who applied and whose application awaits something.
    checklists: Figures = Figures()


@dataclass(frozen=True)
class World:
    """A calendar played forward: zone -> what is due from now on, and who follows which date now."""

    points: Mapping[str, Sequence[DuePoint]]
    followed: FollowedDeadlines
    #: Zone -> the points at which applicants are reminded of what their application awaits.
    checklist_points: Mapping[str, Sequence[DuePoint]] = field(default_factory=dict)


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
        if _goes_out(point, group):
            sent_in_sweep = sweep
    return settled


def _goes_out(point: DuePoint, group: PeopleGroup) -> bool:
    return point.withheld is None and group.withheld is None and not group.is_left_alone_at(point.due_at)


def _is_for(point: DuePoint, group: PeopleGroup) -> bool:
    """R2, R5, R6: they were there, nothing changed for them since, and the date was not handed to them later."""
    if group.since and group.since > point.there_by:
        return False
    if group.changed_at and group.changed_at > point.there_by:
        return False
    if not _changed_then(point, group):
        return False
    return point.handed_over not in group.unknown_at


def _changed_then(point: DuePoint, group: PeopleGroup) -> bool:
    """Of somebody's own turn: their last change was that one, or in its stretch."""
    if point.changed_at is None or point.changed_from is None:
        return True
    return group.changed_at is not None and point.changed_from <= group.changed_at <= point.changed_at


def impacts(
    before: World,
    after: World,
    groups: Iterable[PeopleGroup],
    now: datetime,
    *,
    applicants: Iterable[PeopleGroup] = (),
) -> list[CellImpact]:
    """The difference between two calendars, cell by cell; a cell that notices nothing is left out.

    Args:
        applicants: those who applied and whose application awaits something, as groups of the same kind.
    """
    cells = {
        DeadlineGroup(*key, residency)
        for world in (before, after)
        for key in world.followed.rounds()
        for residency in Residency
    }
    dates = {cell: (_date_of(cell, before), _date_of(cell, after)) for cell in cells}
    reminders = _by_cell(groups, dates, before.points, after.points, now)
    checklists = _by_cell(applicants, dates, before.checklist_points, after.checklist_points, now)
    found = [
        CellImpact(
            cell.program,
            str(cell.entry_term),
            cell.round.value,
            cell.residency.value,
            *dates[cell],
            reminders.get(cell, Figures()),
            checklists.get(cell, Figures()),
        )
        for cell in sorted(cells)
    ]
    return [one for one in found if one.old_date != one.new_date or _changes(one.figures) or _changes(one.checklists)]


def _changes(figures: Figures) -> bool:
    return bool(figures.to_come or figures.withdrawn)


def _date_of(cell: DeadlineGroup, world: World) -> date | None:
    followed = world.followed.followed_by(cell)
    return followed.stated_date if followed else None


def _by_cell(
    groups: Iterable[PeopleGroup],
    dates: Mapping[DeadlineGroup, tuple[date | None, date | None]],
    before: Mapping[str, Sequence[DuePoint]],
    after: Mapping[str, Sequence[DuePoint]],
    now: datetime,
) -> dict[DeadlineGroup, Figures]:
    of_before, of_after = _points_by_cell(before), _points_by_cell(after)
    found: dict[DeadlineGroup, Figures] = {}
    for group in groups:
        cell, key = _cell(group), (group.zone, *group.round, group.residency)
        settled_before = played_forward(of_before.get(key, ()), group, now)
        settled_after = played_forward(of_after.get(key, ()), group, now)
        figures = _figures(group, dates.get(cell, (None, None)), settled_before, settled_after, now)
        found[cell] = found.get(cell, Figures()) + figures
    return found


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
    is_told = moved and reminded and not group.not_told and not group.is_left_alone_at(now)
    seen = Figures(
        people=group.people,
        withheld=group.people if group.withheld else 0,
        reminded_people=group.people if reminded else 0,
        reminders_sent=reminded,
        notices=group.people if is_told else 0,
    )
    return seen if group.withheld else seen + _reminders(group, before, after, now)


def _reminders(
    group: PeopleGroup, before: Mapping[PointKey, DuePoint], after: Mapping[PointKey, DuePoint], now: datetime
) -> Figures:
    people = group.people
    going_before = {key for key, point in before.items() if _goes_out(point, group)}
    going_after = {key for key, point in after.items() if _goes_out(point, group)}
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


def _points_by_cell(points: Mapping[str, Sequence[DuePoint]]) -> dict[tuple[str, ...], list[DuePoint]]:
    found: dict[tuple[str, ...], list[DuePoint]] = {}
    for zone, due in points.items():
        for point in due:
            key = (zone, point.program, point.entry_term, point.round, point.residency)
            found.setdefault(key, []).append(point)
    return found


def _cell(group: PeopleGroup) -> DeadlineGroup:
    program, entry_term, a_round = group.round
    return DeadlineGroup(program, EntryTerm.parse(entry_term), Round(a_round), Residency(group.residency))
