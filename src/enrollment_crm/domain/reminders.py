"""Reminders: what is due in a span of time, derived from dates and never copied to people (R3, R5, R6, R8)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.catch_up import catch_up
from enrollment_crm.domain.deadlines import Deadline, DeadlineRecord, earliest_ahead, in_force_at
from enrollment_crm.domain.invitations import DueInvitation
from enrollment_crm.domain.points import Cadence, Point, deadline_points
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.turns import Turn, Turned, turned
from enrollment_crm.domain.withholding import WithholdReason

#: No zone's clock is further from UTC than this; a day of slack finds every point near an instant.
_FURTHEST_CLOCK = timedelta(hours=15)

#: The cadence of a program, by its key.
CadenceOf = Callable[[str], Cadence]


@dataclass(frozen=True)
class Span:
    """From the first instant, which is not in it, to the second, which is."""

    after: datetime
    until: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.after < instant <= self.until


@dataclass(frozen=True)
class DuePoint:
    """One point of one deadline, for the people of one residency group in one zone.

    ``residency`` is the group of people: those of an unknown residency follow a date stated for another group (R2).
    ``withheld`` says that the point is only recorded, not sent.
    """

    program: str
    entry_term: str
    round: str
    residency: str
    stated_date: date
    offset: str
    #: When the point fell, by its own arithmetic.
    instant: datetime
    #: When it goes out or is recorded: its own instant, or that of a catch-up.
    due_at: datetime
    #: It is for those who were there, and to whom nothing changed, at or before this instant (R5, R6).
    there_by: datetime
    withheld: WithholdReason | None = None
    #: A point missed, which goes out late: only to those who have had nothing newer of this deadline (R6, R9).
    catch_up: bool = False
    #: Only for those whose last change was at this instant; of a stretch of turns, at one from ``changed_from`` on.
    changed_at: datetime | None = None
    changed_from: datetime | None = None
    #: Not for those who were of unknown residency at this instant, when another date became theirs (R2).
    handed_over: datetime | None = None


@dataclass(frozen=True)
class DueCell:
    """All that is due in one zone: people are claimed a cell at a time, so that several deadlines of one person
    at one instant become one message, with the invitation of that day folded in (R8)."""

    zone: str
    points: tuple[DuePoint, ...]
    invitations: tuple[DueInvitation, ...] = ()


def due_points(
    records: Sequence[DeadlineRecord],
    zones: Iterable[str],
    cadence_of: CadenceOf,
    turns: Iterable[Turn],
    span: Span,
) -> dict[str, list[DuePoint]]:
    """Zone -> what is due in the span, earliest first: the points that fall into it, and what turns catch up in it."""
    in_force = [one for one in records if one.replaced_at is None or one.replaced_at > span.until]
    deadlines = in_force_at(in_force, span.until)
    near = [one for one in in_force if may_have_point(one.deadline, cadence_of(one.deadline.group.program), span)]
    to_catch_up = [(turn, one) for turn in turns for one in turned(turn, records) if one.deadline in deadlines]
    found: dict[str, list[DuePoint]] = {}
    for zone in zones:
        points = [*_on_time(deadlines, near, zone, cadence_of, span), *_caught_up(to_catch_up, zone, cadence_of, span)]
        if points:
            found[zone] = sorted(points, key=_in_order)
    return found


def _in_order(point: DuePoint) -> tuple[datetime, bool, str, str, str, datetime]:
    """As they are due; a point on its time before the same one caught up: of two equal keys the first one holds."""
    return point.due_at, point.catch_up, point.entry_term, point.round, point.residency, point.instant


def may_have_point(deadline: Deadline, cadence: Cadence, span: Span) -> bool:
    """Whether some zone on earth could have a point of this deadline then: spares 600 zones the arithmetic."""
    noon = deadline.ends_at() - timedelta(hours=12)
    slack = _FURTHEST_CLOCK + timedelta(days=2)
    days_before = [timedelta(days=days) for days in cadence.offsets_in_days]
    return any(span.after - slack <= noon - before <= span.until + slack for before in days_before)


def _on_time(
    deadlines: Sequence[Deadline],
    near: Sequence[DeadlineRecord],
    zone: str,
    cadence_of: CadenceOf,
    span: Span,
) -> Iterator[DuePoint]:
    """Points that fall into the span while their date is in force; what lies before a date's coming is caught up."""
    for one in near:
        points = deadline_points(one.deadline, ZoneInfo(zone), cadence_of(one.deadline.group.program))
        for point in points:
            if point.instant in span and one.in_force_from <= point.instant:
                for residency in _followers(one.deadline, deadlines, point.instant):
                    yield _due_point(one.deadline, point, residency, there_by=point.instant)


def _followers(deadline: Deadline, deadlines: Sequence[Deadline], instant: datetime) -> list[Residency]:
    """The groups whose deadline this is at the instant: its own, and unknown if it is the earliest ahead (R2)."""
    group = deadline.group
    of_the_round = [
        d
        for d in deadlines
        if (d.group.program, d.group.entry_term, d.group.round) == (group.program, group.entry_term, group.round)
    ]
    first = earliest_ahead(of_the_round, instant)
    return [group.residency, Residency.UNKNOWN] if first == deadline else [group.residency]


def _caught_up(
    to_catch_up: Sequence[tuple[Turn, Turned]], zone: str, cadence_of: CadenceOf, span: Span
) -> Iterator[DuePoint]:
    for turn, one in to_catch_up:
        if getattr(turn, "zone", zone) != zone:
            continue
        cadence = cadence_of(one.deadline.group.program)
        points = deadline_points(one.deadline, ZoneInfo(zone), cadence)
        ends, clock = one.deadline.ends_at(), ZoneInfo(zone)
        for missed in catch_up(points, turn=one.at, ends_at=ends, zone=clock, cadence=cadence):
            if missed.settles_at in span:
                yield replace(
                    _due_point(one.deadline, missed.point, one.residency, there_by=one.at),
                    due_at=missed.settles_at,
                    withheld=missed.withheld,
                    catch_up=True,
                    changed_at=one.at if one.personal else None,
                    changed_from=one.began if one.personal else None,
                    handed_over=_hand_over(one, missed.point),
                )


def _hand_over(one: Turned, point: Point) -> datetime | None:
    return one.handed_over if one.handed_over and point.instant < one.handed_over else None


def _due_point(deadline: Deadline, point: Point, residency: Residency, *, there_by: datetime) -> DuePoint:
    group = deadline.group
    return DuePoint(
        program=group.program,
        entry_term=str(group.entry_term),
        round=group.round.value,
        residency=residency.value,
        stated_date=deadline.stated_date,
        offset=point.offset,
        instant=point.instant,
        due_at=point.instant,
        there_by=there_by,
    )


def due_cells(points: dict[str, list[DuePoint]], invitations: dict[str, list[DueInvitation]]) -> list[DueCell]:
    """One cell a zone, the most urgent deadline first; invitations that go out by themselves come last."""
    cells = [
        DueCell(zone, tuple(points.get(zone, ())), tuple(invitations.get(zone, ())))
        for zone in {**points, **invitations}
    ]
    return sorted(cells, key=lambda cell: (min((p.stated_date for p in cell.points), default=date.max), cell.zone))


def still_due(cell: DueCell, deadlines: Iterable[Deadline], *, now: datetime) -> DueCell:
    """The cell as it stands at ``now``, which can be long after it was found: a task is tried again hours later.

    Points of a date that is no longer in force are gone, points of a deadline that is over are too late.
    """
    in_force = {_key(one): one for one in deadlines}
    stated = {(key[:3], one.stated_date): one.ends_at() for key, one in in_force.items()}
    points = []
    for point in cell.points:
        over = stated.get(((point.program, point.entry_term, point.round), point.stated_date))
        if over is not None:
            late = point.withheld or (WithholdReason.TOO_LATE if over <= now else None)
            points.append(replace(point, withheld=late))
    return replace(cell, points=tuple(points))


def _key(deadline: Deadline) -> tuple[str, str, str, str]:
    group = deadline.group
    return group.program, str(group.entry_term), group.round.value, group.residency.value


_GROUP_NAMES = {
    Residency.DOMESTIC.value: "domestic",
    Residency.INTERNATIONAL_INSIDE_US.value: "inside US",
    Residency.INTERNATIONAL_OUTSIDE_US.value: "outside US",
    Residency.UNKNOWN.value: "residency unknown",
}


def name_of_cell(cell: DueCell) -> str:
    """What operations read in the grid: ``early action fall 2027 · 7 days · domestic, outside US · Asia/Shanghai``."""
    going = [point for point in cell.points if point.withheld is None] or list(cell.points)
    deadlines = sorted({f"{point.round.replace('_', ' ')} {point.entry_term}" for point in going})
    offsets = sorted({point.offset for point in going}, key=lambda offset: int(offset[:-1]))
    groups = [name for group, name in _GROUP_NAMES.items() if any(p.residency == group for p in going)]
    who = "everyone" if len(groups) == len(_GROUP_NAMES) else ", ".join(groups)
    about = [" + ".join(deadlines), " + ".join(in_words(one) for one in offsets), who] if going else []
    sessions = sorted({f"invitation to {one.prep_session_id}" for one in cell.invitations if not one.folds_only})
    return " · ".join([*about, *sessions, cell.zone])


def in_words(offset: str) -> str:
    """``7 days``, ``1 hour``."""
    number, unit = offset[:-1], {"d": "day", "h": "hour", "m": "minute"}[offset[-1]]
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
