"""Merging: a person decided that two records are one; history, ledger and registrations are united.

The record that is merged away keeps its rows and names the one that it was merged into.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import aliased

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.claims import KEY_COLUMNS
from enrollment_crm.storage.models import (
    ApplicationReferenceRow,
    ApplicationRow,
    CoverRow,
    InterestRow,
    PersonRow,
    RegistrationRow,
    ResidencyEvidenceRow,
    UnsubscriptionRow,
)
from enrollment_crm.storage.people import add_interest


def unite_people(connection: Connection, *, gone: int, stays: int, at: datetime) -> None:
    """Everything of ``gone`` counts for ``stays`` from now on; the stricter consent holds. Both must be locked."""
    _unite_ledger(connection, gone, stays)
    _unite_interests(connection, gone, stays, at)
    _unite_applications(connection, gone, stays)
    _unite_registrations(connection, gone, stays)
    _unite_evidence(connection, gone, stays)
    _unite_withdrawals(connection, gone, stays)
    complained = select(PersonRow.complained_at).where(PersonRow.id == gone).scalar_subquery()
    values = {"complained_at": func.coalesce(PersonRow.complained_at, complained), "needs_routing": True}
    connection.execute(update(PersonRow).where(PersonRow.id == stays).values(values))
    connection.execute(update(PersonRow).where(PersonRow.id == gone).values(merged_into_id=stays))


def _unite_ledger(connection: Connection, gone: int, stays: int) -> None:
    """What one of the two has been sent is not sent again; their own addresses differ, and so both may have had it."""
    theirs = aliased(CoverRow)
    same = and_(*(getattr(theirs, key).is_not_distinct_from(getattr(CoverRow, key)) for key in ("kind", *KEY_COLUMNS)))
    known = exists(select(1).where(theirs.person_id == stays, ~theirs.released, same).correlate(CoverRow))
    copied = ("kind", *KEY_COLUMNS, "due_at", "recorded_at")
    sent = select(
        literal(stays),
        literal(WithholdReason.ALREADY_SENT.value),
        null(),
        *(getattr(CoverRow, name) for name in copied),
    ).where(CoverRow.person_id == gone, _was_sent(), ~CoverRow.released, ~known)
    columns = ["person_id", "withheld", "message_row_id", *copied]
    connection.execute(insert_or_update(CoverRow).from_select(columns, sent).on_conflict_do_nothing())


def _was_sent() -> ColumnElement[bool]:
    return or_(CoverRow.message_row_id.is_not(None), CoverRow.withheld == WithholdReason.ALREADY_SENT.value)


def _unite_interests(connection: Connection, gone: int, stays: int, at: datetime) -> None:
    mine = select(InterestRow.program, InterestRow.entry_term).where(InterestRow.person_id == stays)
    known = {tuple(row) for row in connection.execute(mine)}
    statement = select(InterestRow.__table__).where(InterestRow.person_id == gone).order_by(InterestRow.id)
    for row in connection.execute(statement).all():
        add_interest(
            connection,
            person_id=stays,
            program=row.program,
            entry_term=row.entry_term,
            since=row.since,
            asked_for_information=row.asked_for_information,
        )
        if (row.program, row.entry_term) not in known:
            turned = update(InterestRow).where(
                InterestRow.person_id == stays,
                InterestRow.program == row.program,
                InterestRow.entry_term.is_not_distinct_from(row.entry_term),
            )
            connection.execute(turned.values(changed_at=at))


def _unite_applications(connection: Connection, gone: int, stays: int) -> None:
    columns = ("program", "entry_term", "status", "occurred_at", "received_at", "source", "reference")
    theirs = select(literal(stays), *(getattr(ApplicationRow, name) for name in columns))
    statement = insert_or_update(ApplicationRow).from_select(
        ["person_id", *columns], theirs.where(ApplicationRow.person_id == gone)
    )
    submitted = ApplicationStatus.SUBMITTED.value
    better = and_(statement.excluded.status == submitted, ApplicationRow.status != submitted)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ApplicationRow.person_id, ApplicationRow.program, ApplicationRow.entry_term],
            set_={
                name: case((better, statement.excluded[name]), else_=getattr(ApplicationRow, name))
                for name in ("status", "occurred_at", "received_at", "source", "reference")
            },
        )
    )
    _unite_references(connection, gone, stays)


def _unite_references(connection: Connection, gone: int, stays: int) -> None:
    """What sources call the applications of one means those of the other from now on: so do their checklists."""
    mine, gone_ones = aliased(ApplicationRow), aliased(ApplicationRow)
    moved = update(ApplicationReferenceRow).where(
        ApplicationReferenceRow.application_id == gone_ones.id,
        gone_ones.person_id == gone,
        mine.person_id == stays,
        mine.program.is_not_distinct_from(gone_ones.program),
        mine.entry_term == gone_ones.entry_term,
    )
    connection.execute(moved.values(application_id=mine.id))


def _unite_registrations(connection: Connection, gone: int, stays: int) -> None:
    theirs = select(literal(stays), RegistrationRow.prep_session_id, RegistrationRow.registered_at)
    columns = ["person_id", "prep_session_id", "registered_at"]
    statement = insert_or_update(RegistrationRow).from_select(columns, theirs.where(RegistrationRow.person_id == gone))
    connection.execute(statement.on_conflict_do_nothing())


def _unite_evidence(connection: Connection, gone: int, stays: int) -> None:
    columns = ("source", "said_at", "stated", "citizenship", "holds_visa", "address_country")
    theirs = select(literal(stays), *(getattr(ResidencyEvidenceRow, name) for name in columns))
    statement = insert_or_update(ResidencyEvidenceRow).from_select(
        ["person_id", *columns], theirs.where(ResidencyEvidenceRow.person_id == gone)
    )
    connection.execute(statement)


def _unite_withdrawals(connection: Connection, gone: int, stays: int) -> None:
    """The stricter consent holds: what one of the two does not want, neither gets; the longer pause too."""
    paused = select(PersonRow.paused_until).where(PersonRow.id == gone).scalar_subquery()
    longer = func.greatest(PersonRow.paused_until, paused)
    connection.execute(update(PersonRow).where(PersonRow.id == stays).values(paused_until=longer))
    theirs = select(literal(stays), UnsubscriptionRow.topic, UnsubscriptionRow.at)
    statement = insert_or_update(UnsubscriptionRow).from_select(
        ["person_id", "topic", "at"],
        theirs.where(UnsubscriptionRow.person_id == gone, UnsubscriptionRow.lifted_at.is_(None)),
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[UnsubscriptionRow.person_id, UnsubscriptionRow.topic],
            set_={"at": func.greatest(UnsubscriptionRow.at, statement.excluded.at), "lifted_at": None},
        )
    )
