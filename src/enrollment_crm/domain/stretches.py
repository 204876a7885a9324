"""Stretches: many personal turns of a night that the rules treat alike, put together where there are too many (R6).

Between two edges nothing that R6 asks of a turn changes: which points lie before it and which is next, whether it is
daytime, when the next morning is, which date is followed. So a whole import is a handful of stretches.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import DeadlineRecord
from enrollment_crm.domain.points import Cadence, deadline_points
from enrollment_crm.domain.reminders import CadenceOf, Span, may_have_point
from enrollment_crm.domain.turns import LONGEST_WAIT

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
) -> list[datetime]:
    """The instants, in order, from which on a turn may be treated otherwise than right before.

    Of turns of which something can settle in the span: from the night before it on.
    """
    looked_at = Span(span.after - LONGEST_WAIT - TICK, span.until)
    clocks = [ZoneInfo(zone) for zone in zones]
    found = {span.after + TICK, *_quarters(looked_at)}
    for clock in clocks:
        for cadence in cadences:
            found.update(_walls(clock, cadence, looked_at))
    for record in records:
        found.update(_of_record(record, clocks, cadence_of(record.deadline.group.program), looked_at))
    return sorted(one for one in found if one in looked_at)


def _quarters(span: Span) -> Iterator[datetime]:
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


def _of_record(record: DeadlineRecord, clocks: Sequence[ZoneInfo], cadence: Cadence, span: Span) -> Iterator[datetime]:
    """A date comes, goes or is over; a point is missed from the tick after it on, and too close from hours before."""
    deadline, too_close = record.deadline, timedelta(hours=cadence.too_close_in_hours)
    yield record.in_force_from
    if record.replaced_at:
        yield record.replaced_at
    yield from (deadline.ends_at(), deadline.ends_at() - timedelta(hours=cadence.too_late_in_hours))
    if may_have_point(deadline, cadence, Span(span.after, span.until + too_close)):
        for clock in clocks:
            for point in deadline_points(deadline, clock, cadence):
                yield from (point.instant + TICK, point.instant - too_close)
