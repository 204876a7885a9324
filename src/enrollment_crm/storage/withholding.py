"""R7: what withholds a message, as one SQL expression that every claiming statement reads."""

from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, not_, null, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.consent import WHERE_CONSENT_RUNS_OUT
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.suppressions import DEAD, SuppressionReason
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import ApplicationRow, ConsentRow, PersonRow, UnsubscriptionRow
from enrollment_crm.storage.suppressions import is_suppressed

#: Withdrawing from everything: what one-click on any marketing mail of ours cannot narrow further.
EVERY_TOPIC = "*"

#: Answers to what the reader did, and all about a session that they registered for or an application that they have
#: submitted: withheld only where nobody would read them. An invitation to a session is none of them.
_ANSWERS = (
    MessageKind.SESSION_CONFIRMATION,
    MessageKind.SESSION_REMINDER,
    MessageKind.SESSION_MOVED,
    MessageKind.SESSION_CANCELLED,
    MessageKind.APPLICATION_RECEIVED,
    MessageKind.CHECKLIST_REMINDER,
)

#: What nobody has just asked for: a pause holds it, and it needs a consent that has not run out.
_COMES_BY_ITSELF = (MessageKind.DEADLINE_REMINDER, MessageKind.DEADLINE_MOVED, MessageKind.SESSION_INVITATION)

Column = ColumnElement[str] | InstrumentedAttribute[str | None] | InstrumentedAttribute[str]


@cache
def withheld_reason(
    kind: MessageKind, *, topic: str, program: Column | None = None, entry_term: Column | None = None
) -> ColumnElement[str]:
    """The reason (a ``WithholdReason``) that withholds a message of this kind from the person of the row; NULL: none.

    Args:
        topic: the topic of the template; an unsubscription names one, or every topic.
        program: column with the program that the message is about.
        entry_term: column with the entry term that the message is about.
    """
    reasons: list[tuple[ColumnElement[bool], WithholdReason]] = [
        (PersonRow.erased_at.is_not(None), WithholdReason.ERASED),
        (PersonRow.merged_into_id.is_not(None), WithholdReason.MERGED),
        (PersonRow.complained_at.is_not(None), WithholdReason.COMPLAINED),
        (is_suppressed([SuppressionReason.COMPLAINT]), WithholdReason.COMPLAINED),
        (is_suppressed(DEAD), WithholdReason.BOUNCED),
        (is_suppressed([SuppressionReason.MANUAL]), WithholdReason.SUPPRESSED),
    ]
    if kind not in _ANSWERS:
        reasons.append((_unsubscribed(topic), WithholdReason.UNSUBSCRIBED))
        if program is not None and entry_term is not None:
            reasons.append((has_submitted(program, entry_term), WithholdReason.SUBMITTED))
    return case(*((condition, literal(reason.value)) for condition, reason in reasons), else_=null())


def withheld_then(
    instant: ColumnElement[datetime],
    kind: MessageKind,
    *,
    topic: str,
    program: Column | None = None,
    entry_term: Column | None = None,
) -> ColumnElement[str]:
    """The same at an instant: what comes by itself also by a pause that lasts beyond it, and a consent that is over."""
    by_person = withheld_reason(kind, topic=topic, program=program, entry_term=entry_term)
    if kind not in _COMES_BY_ITSELF:
        return by_person
    then = case(
        (PersonRow.paused_until > instant, literal(WithholdReason.PAUSED.value)),
        (_consent_is_over(instant), literal(WithholdReason.CONSENT_OVER.value)),
        else_=null(),
    )
    return func.coalesce(by_person, then)


def consent_ends_at() -> ColumnElement[datetime]:
    """SQL: when the last consent of the person runs out; NULL: none runs out, or there is none to run out."""
    theirs = select(
        case((func.bool_or(ConsentRow.runs_out_at.is_(None)), null()), else_=func.max(ConsentRow.runs_out_at))
    ).where(ConsentRow.person_id == PersonRow.id)
    last = theirs.correlate_except(ConsentRow).scalar_subquery()
    return case((PersonRow.country.in_(WHERE_CONSENT_RUNS_OUT), last), else_=null())


def _consent_is_over(instant: ColumnElement[datetime]) -> ColumnElement[bool]:
    """The person lives where a consent can run out, and each of theirs has."""
    theirs = select(1).where(ConsentRow.person_id == PersonRow.id)
    holds = or_(ConsentRow.runs_out_at.is_(None), ConsentRow.runs_out_at > instant)
    return and_(
        PersonRow.country.in_(WHERE_CONSENT_RUNS_OUT),
        exists(theirs.correlate_except(ConsentRow)),
        not_(exists(theirs.where(holds).correlate_except(ConsentRow))),
    )


def _unsubscribed(topic: str) -> ColumnElement[bool]:
    return exists(
        select(1)
        .where(
            UnsubscriptionRow.person_id == PersonRow.id,
            UnsubscriptionRow.topic.in_([topic, EVERY_TOPIC]),
            UnsubscriptionRow.lifted_at.is_(None),
        )
        .correlate_except(UnsubscriptionRow)
    )


def has_submitted(program: Column, entry_term: Column) -> ColumnElement[bool]:
    """SQL: the person has submitted for this program and term; one without a program counts for all of its term.

    Two questions, each of equalities alone: for a million people the database answers them from a hash.
    """
    return or_(
        _has_submitted(ApplicationRow.program == program, entry_term),
        _has_submitted(ApplicationRow.program.is_(None), entry_term),
    )


def _has_submitted(for_program: ColumnElement[bool], entry_term: Column) -> ColumnElement[bool]:
    return exists(
        select(1)
        .where(
            ApplicationRow.person_id == PersonRow.id,
            ApplicationRow.entry_term == entry_term,
            for_program,
            ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
        )
        .correlate_except(ApplicationRow)
    )
