"""Answers: the welcome to a signup and the receipt of an application, claimed as soon as they are owed."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, exists, func, literal, select
from sqlalchemy.orm import aliased

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.claims import Claim, DueCount, claim_some, not_yet_covered
from enrollment_crm.storage.models import ApplicationRow, InterestRow, PersonRow
from enrollment_crm.storage.withholding import withheld_reason

#: A submission that is older than this when it reaches us is history: a receipt would only puzzle its reader.
RECEIPT_STILL_USEFUL = timedelta(days=14)


def count_owed_answers(connection: Connection, kind: MessageKind, *, topic: str) -> DueCount:
    """How many welcomes or receipts are owed."""
    rows = owed_answers(kind, topic).subquery()
    counts = select(func.count(), func.count().filter(rows.c.withheld.is_(None))).select_from(rows)
    return DueCount(*connection.execute(counts).one())


def claim_owed_answers(
    connection: Connection, kind: MessageKind, *, topic: str, limit: int, lease: timedelta, now: datetime
) -> Claim:
    """Claim up to ``limit`` welcomes or receipts; people whom another worker holds are left to it."""
    return claim_some(connection, owed_answers(kind, topic), kind=kind, limit=limit, lease=lease, now=now)


@cache
def owed_answers(kind: MessageKind, topic: str) -> Select[*tuple[Any, ...]]:
    """The answers of this kind that are owed, one row each."""
    return _owed_receipts(topic) if kind is MessageKind.APPLICATION_RECEIVED else _owed_welcomes(topic)


def _owed_welcomes(topic: str) -> Select[*tuple[Any, ...]]:
    """One for each program and entry term that a person asked about, once they are routed."""
    kind = MessageKind.WELCOME
    program, entry_term = InterestRow.program, InterestRow.entry_term
    return (
        select(
            PersonRow.id.label("person_id"),
            program.label("program"),
            entry_term.label("entry_term"),
            InterestRow.since.label("due_at"),
            withheld_reason(kind, topic=topic, program=program, entry_term=entry_term).label("withheld"),
        )
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .where(
            InterestRow.asked_for_information,
            PersonRow.needs_routing.is_(False),
            not_yet_covered(kind, PersonRow.id, program=program, entry_term=entry_term),
        )
        .order_by(InterestRow.id)
    )


def _owed_receipts(topic: str) -> Select[*tuple[Any, ...]]:
    """One for each submitted application, also where its program is learnt later or its term changes."""
    kind = MessageKind.APPLICATION_RECEIVED
    program, entry_term = ApplicationRow.program, ApplicationRow.entry_term
    old = ApplicationRow.occurred_at < ApplicationRow.received_at - RECEIPT_STILL_USEFUL
    by_person = withheld_reason(kind, topic=topic)
    return (
        select(
            PersonRow.id.label("person_id"),
            program.label("program"),
            entry_term.label("entry_term"),
            ApplicationRow.received_at.label("due_at"),
            case((old, literal(WithholdReason.TOO_LATE.value)), else_=by_person).label("withheld"),
        )
        .join(ApplicationRow, ApplicationRow.person_id == PersonRow.id)
        .where(
            ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
            PersonRow.needs_routing.is_(False),
            not_yet_covered(kind, PersonRow.id, program=program, entry_term=entry_term),
            # Answered before its program was known.
            not_yet_covered(kind, PersonRow.id, entry_term=entry_term),
            ~_submitted_before(),
        )
        .order_by(ApplicationRow.id)
    )


def _submitted_before() -> ColumnElement[bool]:
    """SQL: the same application was submitted for another program or term, and the receipt is owed for that."""
    earlier = aliased(ApplicationRow)
    same = select(1).where(
        earlier.person_id == ApplicationRow.person_id,
        earlier.source == ApplicationRow.source,
        earlier.reference == ApplicationRow.reference,
        earlier.status == ApplicationStatus.SUBMITTED.value,
        earlier.id < ApplicationRow.id,
    )
    return exists(same.correlate_except(earlier))
