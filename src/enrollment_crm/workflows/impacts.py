"""Impacts: both calendars played forward, as sweeps would find them, and the people counted whom they concern."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from enrollment_crm.domain.deadlines import DeadlineGroup, FollowedDeadlines, in_force_at
from enrollment_crm.domain.impacts import CellImpact, RoundKey, World, impacts
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.proposals import DeadlineChange, records_after
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.turns import Turn
from enrollment_crm.storage.impacts import ImpactQuestion, RoundPoint, people_groups
from enrollment_crm.workflows.cells import CalendarView, on_time, outage_ending, points_in, turns_in
from enrollment_crm.workflows.outbox import Outbox


def deadline_impacts(
    connection: Connection, outbox: Outbox, view: CalendarView, changes: Sequence[DeadlineChange]
) -> list[CellImpact]:
    """What changes of dates at ``view.now`` do to the people of each cell."""
    if not changes:
        return []
    rounds = {_round_of(change) for change in changes}
    now_view = replace(view, records=[one for one in view.records if _key(one.deadline.group) in rounds])
    then_view = replace(now_view, records=records_after(now_view.records, changes, view.now))
    outage = outage_ending(connection, outbox, view)
    also: list[Turn] = [outage] if outage else []
    before = _played(connection, outbox, now_view, also)
    after = _played(connection, outbox, then_view, also)
    question = _question(outbox, rounds, [before, after], view.now)
    return impacts(before, after, people_groups(connection, question), view.now)


def _played(connection: Connection, outbox: Outbox, view: CalendarView, also: Sequence[Turn]) -> World:
    last = max((one.deadline.ends_at() for one in view.records), default=view.now)
    span = Span(on_time(outbox, view.now).after, max(last, view.now) + timedelta(days=1))
    turns = [*turns_in(connection, outbox.cadences, view, span), *also]
    deadlines = in_force_at(view.records, view.now)
    return World(points_in(outbox.cadences, view, span, turns), FollowedDeadlines(deadlines, view.now))


def _question(outbox: Outbox, rounds: set[RoundKey], worlds: Sequence[World], now: datetime) -> ImpactQuestion:
    points = [point for world in worlds for due in world.points.values() for point in due]
    of_rounds: dict[RoundKey, set[RoundPoint]] = {key: set() for key in rounds}
    for point in points:
        of_rounds[point.program, point.entry_term, point.round].add((point.stated_date, point.offset))
    for world in worlds:
        for deadline in world.followed.deadlines():
            of_rounds[_key(deadline.group)].add((deadline.stated_date, ""))
    return ImpactQuestion(
        points={key: sorted(found) for key, found in of_rounds.items()},
        missed_points=sorted({point.instant for point in points if point.catch_up}),
        hand_overs=sorted({point.handed_over for point in points if point.handed_over}),
        horizon=min((point.there_by for point in points), default=now),
        reminder_topic=outbox.topic_of(MessageKind.DEADLINE_REMINDER),
        notice_topic=outbox.topic_of(MessageKind.DEADLINE_MOVED),
    )


def _key(group: DeadlineGroup) -> RoundKey:
    return group.program, str(group.entry_term), group.round.value


def _round_of(change: DeadlineChange) -> RoundKey:
    return _key(change.group)
