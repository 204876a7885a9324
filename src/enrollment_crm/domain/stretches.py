"""Stretches: many personal turns of a night that the rules treat alike, put together where there are too many (R6).

Between two edges nothing that R6 asks of a turn changes: which points lie before it and which is next, whether it is
daytime, when the next morning is, which date is followed. So a whole import is a handful of stretches.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Deadline, DeadlineRecord
from enrollment_crm.domain.points import Cadence, deadline_points
from enrollment_crm.domain.reminders import CadenceOf, Span, may_have_point
from enrollment_crm.domain.turns import LONGEST_WAIT, PersonalTurn

#: The least that two instants can differ by, in the database as well.
TICK = timedelta(microseconds=1)
#: Clocks change at full quarters of an hour of UTC, and a wall clock can jump over an edge of the window.
_QUARTER = timedelta(minutes=15)


def edges_of_turns(
    records: Sequence[DeadlineRecord],
    zones: Iterable[str],
    cadence_of: CadenceOf,
    cadences: Iterable[Cadence],
    span: Span,
) -> dict[str, list[datetime]]:
    """Zone -> the instants, in order, from which on a turn may be treated otherwise than right before.

    Of turns of which something can settle in the span: from the night before it on.
    """
    looked_at = Span(span.after - LONGEST_WAIT - TICK, span.until)
    of_all = {span.after + TICK, *(one for record in records for one in _of_record(record, cadence_of))}
    used = set(cadences)
    dated = [(record.deadline, cadence_of(record.deadline.group.program)) for record in records]
    near = [(deadline, cadence) for deadline, cadence in dated if _may_part(deadline, cadence, looked_at)]
    found = {}
    for zone in zones:
        clock = ZoneInfo(zone)
        edges = of_all | {*_jumps(clock, looked_at)}
        edges.update(one for cadence in used for one in _walls(clock, cadence, looked_at))
        edges.update(one for deadline, cadence in near for one in _of_points(deadline, clock, cadence))
        found[zone] = sorted(one for one in edges if one in looked_at)
    return found


def joined(turns: Iterable[PersonalTurn], edges: Mapping[str, Sequence[datetime]]) -> list[PersonalTurn]:
    """Stretches that no edge of their own zone parts, as one: the edges of other zones say nothing to them."""
    found: dict[tuple[str, str, str, str, int], PersonalTurn] = {}
    for turn in sorted(turns, key=lambda one: one.at):
        stretch = bisect_right(edges[turn.zone], turn.at)
        key = (turn.zone, turn.residency, turn.program, turn.entry_term, stretch)
        first = found.get(key, turn)
        found[key] = replace(turn, began=first.began or first.at)
    return list(found.values())


def _jumps(clock: ZoneInfo, span: Span) -> Iterator[datetime]:
    """Every quarter of an hour, where the clock is put forward or back meanwhile."""
    if span.after.astimezone(clock).utcoffset() == span.until.astimezone(clock).utcoffset():
        return
    one = span.after.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while one <= span.until:
        yield one
        one += _QUARTER


def _walls(clock: ZoneInfo, cadence: Cadence, span: Span) -> Iterator[datetime]:
    """The edges of the window and the hour of sending, also where a wall clock shows them twice."""
    day, last = (one.astimezone(clock).date() for one in (span.after, span.until))
    while day <= last:
        for wall in {cadence.window_from, cadence.window_to, cadence.hour}:
            for fold in (0, 1):
                yield datetime.combine(day, wall.replace(fold=fold), clock).astimezone(UTC)
        day += timedelta(days=1)


def _of_record(record: DeadlineRecord, cadence_of: CadenceOf) -> Iterator[datetime]:
    """A date comes, goes, is near or is over."""
    deadline = record.deadline
    late = timedelta(hours=cadence_of(deadline.group.program).too_late_in_hours)
    yield from (record.in_force_from, deadline.ends_at(), deadline.ends_at() - late)
    if record.replaced_at:
        yield record.replaced_at


def _of_points(deadline: Deadline, clock: ZoneInfo, cadence: Cadence) -> Iterator[datetime]:
    """A point is missed from the tick after it on, and too close from hours before."""
    for point in deadline_points(deadline, clock, cadence):
        yield from (point.instant + TICK, point.instant - timedelta(hours=cadence.too_close_in_hours))


def _may_part(deadline: Deadline, cadence: Cadence, span: Span) -> bool:
    """Whether some zone on earth could have a point of this deadline in the span, or soon after it."""
    soon = timedelta(hours=cadence.too_close_in_hours)
    return may_have_point(deadline, cadence, Span(span.after, span.until + soon))
