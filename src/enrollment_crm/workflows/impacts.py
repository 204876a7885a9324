"""Impacts: both calendars played forward, as sweeps would find them, and the people counted whom they concern."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from enrollment_crm.domain.checklist_reminders import expectations_of
from enrollment_crm.domain.deadlines import DeadlineGroup, FollowedDeadlines, in_force_at
from enrollment_crm.domain.impacts import CellImpact, PeopleGroup, RoundKey, World, impacts
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.proposals import DeadlineChange, records_after
from enrollment_crm.domain.reminders import DuePoint, Span
from enrollment_crm.domain.stretches import TICK
from enrollment_crm.domain.turns import Outage
from enrollment_crm.storage.checklist_impacts import applicant_groups
from enrollment_crm.storage.impacts import ImpactQuestion, RoundPoint, people_groups
from enrollment_crm.workflows.cells import CalendarView, on_time, outage_ending, points_in, turns_in
from enrollment_crm.workflows.checklist_reminders import checklist_points
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
    before = _played(connection, outbox, now_view, outage)
    after = _played(connection, outbox, then_view, outage)
    question = _question(outbox, rounds, [before, after], view.now)
    return impacts(
        before,
        after,
        people_groups(connection, question),
        view.now,
        applicants=_applicants(connection, outbox, rounds, [before, after], view.now),
    )


def _played(connection: Connection, outbox: Outbox, view: CalendarView, outage: Outage | None) -> World:
    last = max((one.deadline.ends_at() for one in view.records), default=view.now)
    span = Span(on_time(outbox, view.now).after, max(last, view.now) + timedelta(days=1))
    turns = [*turns_in(connection, outbox.cadences, view, span), *([outage] if outage else [])]
    return World(
        points=points_in(outbox.cadences, view, span, turns),
        followed=FollowedDeadlines(in_force_at(view.records, view.now), view.now),
        checklist_points=checklist_points(connection, outbox, view, span, outage),
    )


def _applicants(
    connection: Connection, outbox: Outbox, rounds: set[RoundKey], worlds: Sequence[World], now: datetime
) -> list[PeopleGroup]:
    """Those whom checklist reminders of these rounds concern; nobody, where nothing of the kind could fall due."""
    points = [point for world in worlds for due in world.checklist_points.values() for point in due]
    if not points:
        return []
    question = replace(
        _asked(rounds, worlds, points, now), reminder_topic=outbox.topic_of(MessageKind.CHECKLIST_REMINDER)
    )
    expectations = expectations_of(outbox.programs)
    return applicant_groups(connection, question, expectations, default_program=outbox.default_program)


def _question(outbox: Outbox, rounds: set[RoundKey], worlds: Sequence[World], now: datetime) -> ImpactQuestion:
    points = [point for world in worlds for due in world.points.values() for point in due]
    return replace(
        _asked(rounds, worlds, points, now),
        reminder_topic=outbox.topic_of(MessageKind.DEADLINE_REMINDER),
        notice_topic=outbox.topic_of(MessageKind.DEADLINE_MOVED),
    )


def _asked(rounds: set[RoundKey], worlds: Sequence[World], points: Sequence[DuePoint], now: datetime) -> ImpactQuestion:
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
        sending_instants=sorted({now, *(point.due_at for point in points if point.withheld is None)}),
        turning_instants=_turning_instants(points, now),
    )


def _turning_instants(points: Sequence[DuePoint], now: datetime) -> list[datetime]:
    """Where a stretch of turns begins, and the tick after which it is too late to be there for a point."""
    begin = {point.changed_from for point in points if point.changed_from}
    after = {point.there_by + TICK for point in points} | {one.changed_at + TICK for one in points if one.changed_at}
    return sorted(one for one in begin | after if one <= now + TICK)


def _key(group: DeadlineGroup) -> RoundKey:
    return group.program, str(group.entry_term), group.round.value


def _round_of(change: DeadlineChange) -> RoundKey:
    return _key(change.group)
