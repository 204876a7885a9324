"""Plans of the calendar: made, written down and read again, before anything is changed (R9, R10)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine

from enrollment_crm.domain.calendar_plans import CalendarPlan, SessionImpact, StalePlanError, checksum
from enrollment_crm.domain.deadlines import in_force_at
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.invitation_impacts import InvitationImpact, SessionCalendar, invitation_cases
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.plans_in_words import cancelled_in_words
from enrollment_crm.domain.proposals import (
    DeadlineChange,
    Proposal,
    SessionChange,
    deadline_changes,
    records_after,
    session_changes,
    sessions_after,
    still_cancelled,
)
from enrollment_crm.storage.calendar_changes import calendar_fingerprint
from enrollment_crm.storage.engine import snapshot_of, still_view
from enrollment_crm.storage.invitation_impacts import count_invitations, count_told
from enrollment_crm.storage.prep_sessions import every_prep_session
from enrollment_crm.workflows.cells import CalendarView, on_time, view_calendar
from enrollment_crm.workflows.impacts import deadline_impacts
from enrollment_crm.workflows.outbox import Outbox

_WIRE = TypeAdapter(CalendarPlan)


def plan_calendar(engine: Engine, outbox: Outbox, proposal: Proposal, *, now: datetime) -> CalendarPlan:
    """Compare a proposal with the calendar in force, and say exactly what it would do. Nothing is written.

    Args:
        outbox: the cadences, the topics of messages, and what counts as on time; nothing is sent.

    Raises:
        ProposalError: the calendar cannot be changed like that.
    """
    check_aware(now)
    with still_view(engine) as connection, ThreadPoolExecutor(1) as aside:
        view = view_calendar(connection, now)
        dates = deadline_changes(proposal, in_force_at(view.records, now))
        registry = every_prep_session(connection)
        sessions = session_changes(proposal, registry, now=now)
        # Two questions to a million people: each has a core of its own.
        snapshot = snapshot_of(connection)
        invitations = aside.submit(_invitations, engine, snapshot, outbox, view, (dates, sessions))
        return CalendarPlan(
            source=proposal.source,
            made_at=now,
            calendar=calendar_fingerprint(connection),
            deadlines=dates,
            cells=tuple(deadline_impacts(connection, outbox, view, dates)),
            sessions=tuple(_told(connection, outbox, one) for one in sessions),
            invitations=tuple(invitations.result()),
            remarks=tuple(cancelled_in_words(one) for one in still_cancelled(proposal, registry, now=now)),
        )


def _told(connection: Connection, outbox: Outbox, change: SessionChange) -> SessionImpact:
    if not change.is_told:
        return SessionImpact(change, 0)
    kind = MessageKind.SESSION_MOVED if change.new else MessageKind.SESSION_CANCELLED
    return SessionImpact(change, count_told(connection, change.session.id, kind, topic=outbox.topic_of(kind)))


def _invitations(
    engine: Engine,
    snapshot: str,
    outbox: Outbox,
    view: CalendarView,
    changes: tuple[tuple[DeadlineChange, ...], tuple[SessionChange, ...]],
) -> list[InvitationImpact]:
    dates, sessions = changes
    deadlines_then = in_force_at(records_after(view.records, dates, view.now), view.now)
    cases = invitation_cases(
        SessionCalendar(view.prep_sessions, in_force_at(view.records, view.now)),
        SessionCalendar(sessions_after(view.prep_sessions, sessions), deadlines_then),
        view.zones,
        outbox.cadences.default,
        since=on_time(outbox, view.now).after,
    )
    with still_view(engine, snapshot=snapshot) as connection:
        return count_invitations(connection, cases, topic=outbox.topic_of(MessageKind.SESSION_INVITATION))


def fingerprint_of(plan: CalendarPlan) -> str:
    """What a plan is known by in the register of changes."""
    return checksum(_content(plan))


def to_json(plan: CalendarPlan) -> str:
    """The plan as a file, with its fingerprint: what is edited by hand is not applied."""
    wire: dict[str, Any] = _WIRE.dump_python(plan, mode="json")
    return json.dumps({"plan": wire, "fingerprint": fingerprint_of(plan)}, indent=2) + "\n"


def from_json(text: str | bytes) -> CalendarPlan:
    """What ``to_json`` wrote, as text or as the bytes of a file.

    Raises:
        StalePlanError: it is no plan, or it was edited.
    """
    try:
        wire = json.loads(text)
        plan = _WIRE.validate_python(wire["plan"])
        said = wire["fingerprint"]
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise StalePlanError(
            "This is no plan: make one with `enrollment-crm calendar plan --out PLAN.json`."
        ) from error
    if said != fingerprint_of(plan) or json.loads(_content(plan)) != wire["plan"]:
        raise StalePlanError("The plan was edited after it was made. Change the configuration and make a new plan.")
    return plan


def _content(plan: CalendarPlan) -> str:
    return json.dumps(_WIRE.dump_python(plan, mode="json"), sort_keys=True)
