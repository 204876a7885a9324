"""Reminders: what is due between two instants, derived from dates and never copied to people (R3, R5, R8)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Deadline, earliest_ahead, ends_at
from enrollment_crm.domain.points import Cadence, Point, deadline_points, session_points
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency

#: No zone's clock is further from UTC than this; a day of slack finds every point near an instant.
_FURTHEST_CLOCK = timedelta(hours=15)


class WithholdReason(StrEnum):
    """Why a message that was due did not go out (R6, R7). A closed list: ledger rows carry it, ops count it."""

    #: An application for that term has been submitted.
    SUBMITTED = "submitted"
    #: The person does not want messages of this kind.
    UNSUBSCRIBED = "unsubscribed"
    #: Their address does not exist any more.
    BOUNCED = "bounced"
    #: They reported a message as spam.
    COMPLAINED = "complained"
    #: Their data was erased.
    ERASED = "erased"
    #: They are the same person as another record, which is written to instead.
    MERGED = "merged"
    #: A newer reminder of the same deadline was due as well: one useful message, never a burst.
    COLLAPSED = "collapsed"
    #: The deadline or the session is over.
    TOO_LATE = "too_late"


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
    withheld: WithholdReason | None = None


@dataclass(frozen=True)
class DueCell:
    """All deadline points of one instant in one zone. People are claimed a cell at a time, so that several
    deadlines of one person at one instant become one message (R8)."""

    instant: datetime
    zone: str
    points: tuple[DuePoint, ...]


@dataclass(frozen=True)
class DueSession:
    """One point of one prep session, for the people who registered for it."""

    instant: datetime
    prep_session: PrepSession
    offset: str


def due_cells(
    deadlines: Sequence[Deadline], zones: Iterable[str], cadence: Cadence, *, since: datetime, until: datetime
) -> list[DueCell]:
    """The cells with a point in ``(since, until]``, earliest first.

    Where a long gap holds several points of one deadline, the newest goes out and the older ones are recorded as
    collapsed; a point whose deadline is over at ``until`` is recorded as too late.
    """
    near = [d for d in deadlines if _may_have_point(d, cadence, since, until)]
    found: list[tuple[datetime, str, DuePoint]] = []
    if near:
        for zone in zones:
            found += _due_in_zone(deadlines, near, zone, cadence, since=since, until=until)
    found.sort(key=lambda one: (one[0], one[1], one[2].entry_term, one[2].round, one[2].residency))
    return [
        DueCell(instant, zone, tuple(point for _, _, point in members))
        for (instant, zone), members in groupby(found, key=lambda one: (one[0], one[1]))
    ]


def still_due(cell: DueCell, deadlines: Iterable[Deadline], *, now: datetime) -> DueCell:
    """The cell as it stands at ``now``, which can be long after it was found: a task is tried again hours later.

    Points of a date that is no longer in force are gone, points of a deadline that is over are too late.
    """
    deadlines = list(deadlines)
    points = [point for point in cell.points if any(_is_of(point, one) for one in deadlines)]
    late = [replace(one, withheld=one.withheld or WithholdReason.TOO_LATE) for one in points]
    return replace(
        cell,
        points=tuple(
            over if ends_at(point.stated_date) <= now else point for point, over in zip(points, late, strict=True)
        ),
    )


def _is_of(point: DuePoint, deadline: Deadline) -> bool:
    group = deadline.group
    return (
        (point.program, point.entry_term, point.round) == (group.program, str(group.entry_term), group.round.value)
        and point.stated_date == deadline.stated_date
        and point.residency in (group.residency.value, Residency.UNKNOWN.value)
    )


def _may_have_point(deadline: Deadline, cadence: Cadence, since: datetime, until: datetime) -> bool:
    """Whether some zone on earth could have a point of this deadline then: spares 600 zones the arithmetic."""
    noon = deadline.ends_at() - timedelta(hours=12)
    slack = _FURTHEST_CLOCK + timedelta(days=2)
    return any(since - slack <= noon - timedelta(days=days) <= until + slack for days in cadence.offsets_in_days)


def _due_in_zone(
    deadlines: Sequence[Deadline],
    near: Sequence[Deadline],
    zone: str,
    cadence: Cadence,
    *,
    since: datetime,
    until: datetime,
) -> list[tuple[datetime, str, DuePoint]]:
    found = []
    for deadline in near:
        points = [p for p in deadline_points(deadline, ZoneInfo(zone), cadence) if since < p.instant <= until]
        for point in points:
            withheld = _withheld(point, newest=points[-1], over=deadline.ends_at() <= until)
            found += [
                (point.instant, zone, _due_point(deadline, point, residency, withheld))
                for residency in _followers(deadline, deadlines, point.instant)
            ]
    return found


def _withheld(point: Point, *, newest: Point, over: bool) -> WithholdReason | None:
    if point is not newest:
        return WithholdReason.COLLAPSED
    return WithholdReason.TOO_LATE if over else None


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


def _due_point(deadline: Deadline, point: Point, residency: Residency, withheld: WithholdReason | None) -> DuePoint:
    group = deadline.group
    return DuePoint(
        program=group.program,
        entry_term=str(group.entry_term),
        round=group.round.value,
        residency=residency.value,
        stated_date=deadline.stated_date,
        offset=point.offset,
        withheld=withheld,
    )


def due_sessions(
    prep_sessions: Iterable[PrepSession], cadence: Cadence, *, since: datetime, until: datetime
) -> list[DueSession]:
    """The session points in ``(since, until]`` of sessions that have not begun; sessions are never caught up (R10)."""
    due = [
        DueSession(point.instant, session, point.offset)
        for session in prep_sessions
        for point in session_points(session.starts, ZoneInfo(session.zone), cadence)
        if since < point.instant <= until < session.starts
    ]
    return sorted(due, key=lambda one: (one.instant, one.prep_session.id))


_GROUP_NAMES = {
    Residency.DOMESTIC.value: "domestic",
    Residency.INTERNATIONAL_INSIDE_US.value: "inside US",
    Residency.INTERNATIONAL_OUTSIDE_US.value: "outside US",
    Residency.UNKNOWN.value: "residency unknown",
}


def name_of_cell(cell: DueCell) -> str:
    """What operations read in the grid: ``early action fall 2027 · 7 days · domestic, outside US · Asia/Shanghai``."""
    deadlines = sorted({f"{point.round.replace('_', ' ')} {point.entry_term}" for point in cell.points})
    offsets = sorted({point.offset for point in cell.points}, key=lambda offset: int(offset[:-1]))
    groups = [name for group, name in _GROUP_NAMES.items() if any(p.residency == group for p in cell.points)]
    who = "everyone" if len(groups) == len(_GROUP_NAMES) else ", ".join(groups)
    return " · ".join([" + ".join(deadlines), " + ".join(_in_words(one) for one in offsets), who, cell.zone])


def name_of_session(due: DueSession) -> str:
    """What operations read in the grid: ``session prep-2026-11-25 · 1 day``."""
    return f"session {due.prep_session.id} · {_in_words(due.offset)}"


def _in_words(offset: str) -> str:
    number, unit = offset[:-1], {"d": "day", "h": "hour", "m": "minute"}[offset[-1]]
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
