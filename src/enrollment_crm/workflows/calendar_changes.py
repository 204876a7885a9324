"""Changes of the calendar: a plan applied in one transaction, once, by somebody who says why."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.calendar_plans import CalendarPlan, PlanAlreadyAppliedError, StalePlanError
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.plans_in_words import changes_in_words
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.proposals import SessionChange
from enrollment_crm.storage.calendar_changes import (
    CalendarChange,
    calendar_change,
    calendar_fingerprint,
    lock_calendar,
    record_calendar_change,
)
from enrollment_crm.storage.deadlines import Approval
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import (
    add_missing_prep_sessions,
    cancel_prep_session,
    change_prep_session,
)
from enrollment_crm.workflows.calendar_plans import fingerprint_of
from enrollment_crm.workflows.deadlines import bring_into_force


def apply_calendar(
    engine: Engine,
    cadences: Cadences,
    plan: CalendarPlan,
    *,
    by: str,
    why: str,
    source: str | None = None,
    now: datetime,
) -> CalendarChange:
    """Make the changes of a plan, all or none, and record who made them, when and why.

    What follows is the work of the next sweep: catch-ups, notices to those who were reminded of an old date or who
    registered for a session (R6, R9, R10).

    Args:
        by: the member of staff who approves it.
        why: in their words.
        source: where the dates were read, if not where the plan says.

    Raises:
        StalePlanError: the calendar has changed since the plan was made, or the plan was applied already.
    """
    check_aware(now)
    if not by.strip() or not why.strip():
        raise ValueError("Say who changes the calendar, and why: both are kept with the dates.")
    with transaction(engine) as connection:
        lock_calendar(connection)
        fingerprint = fingerprint_of(plan)
        _check_is_fresh(connection, plan, fingerprint, now)
        approval = Approval(by=by, at=now, source=source or plan.source, reason=why)
        bring_into_force(
            connection,
            cadences,
            [one.new for one in plan.deadlines if one.new],
            approval,
            cancelled=[one.group for one in plan.deadlines if one.new is None],
            sources={} if source else {one.group.program: one.source for one in plan.deadlines},
        )
        _change_sessions(connection, [one.change for one in plan.sessions], approval)
        change = CalendarChange(fingerprint, now, by, why, approval.source, changes_in_words(plan))
        record_calendar_change(connection, change)
    return change


def _check_is_fresh(connection: Connection, plan: CalendarPlan, fingerprint: str, now: datetime) -> None:
    applied = calendar_change(connection, fingerprint)
    if applied:
        raise PlanAlreadyAppliedError(
            f"This plan was applied already, by {applied.applied_by} at {applied.applied_at:%Y-%m-%d %H:%M} UTC. "
            "For another change make another plan."
        )
    if calendar_fingerprint(connection) != plan.calendar:
        raise StalePlanError(
            f"The calendar has changed since this plan was made ({plan.made_at:%Y-%m-%d %H:%M} UTC): make it again."
        )
    begun = [one.change.session.id for one in plan.sessions if one.change.session.starts <= now]
    if begun:
        raise StalePlanError(f"{', '.join(begun)} would have begun by now: make the plan again.")


def _change_sessions(connection: Connection, changes: Sequence[SessionChange], approval: Approval) -> None:
    for change in changes:
        if change.new is None:
            done = cancel_prep_session(connection, change.session.id, now=approval.at)
        elif change.old is None:
            added = add_missing_prep_sessions(connection, [change.new], source=approval.source, now=approval.at)
            done = added == 1
        else:
            done = change_prep_session(connection, change.new, is_told=change.is_told, now=approval.at)
        if not done:
            raise StalePlanError(f"Session {change.session.id} has changed or begun: make the plan again.")
