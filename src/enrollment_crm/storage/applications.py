"""Applications: the status that holds for each person, program and term."""

from sqlalchemy import Connection, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import aliased

from enrollment_crm.domain.applications import Application, ApplicationStatus, StatusReport, newer_status
from enrollment_crm.storage.models import ApplicationReferenceRow, ApplicationRow


def person_of_application(connection: Connection, *, source: str, reference: str) -> int | None:
    """The person whose application the source calls by this reference, if one has been seen."""
    statement = select(ApplicationRow.person_id).where(
        ApplicationRow.source == source, ApplicationRow.reference == reference, ApplicationRow.copied_from.is_(None)
    )
    return connection.execute(statement.limit(1)).scalar_one_or_none()


def report_status(connection: Connection, application: Application, *, person_id: int) -> bool:
    """Take in a report; the one that holds by R7 stays. True where it changed the status that was known.

    The person's row must be locked by this transaction.
    """
    entry_term = str(application.entry_term)
    program = _program_of(connection, application, person_id=person_id)
    known = known_report(connection, person_id=person_id, program=program, entry_term=entry_term)
    holding = newer_status(known, application.report)
    if holding == known:
        _remember_reference(connection, application, person_id=person_id, program=program)
        return False
    state = {
        "status": holding.status.value,
        "occurred_at": holding.occurred_at,
        "received_at": application.received_at,
        "source": application.source,
        "reference": application.application_id,
    }
    key = {"person_id": person_id, "program": program, "entry_term": entry_term}
    statement = insert_or_update(ApplicationRow).values({**key, **state})
    index = [ApplicationRow.person_id, ApplicationRow.program, ApplicationRow.entry_term, ApplicationRow.copied_from]
    connection.execute(statement.on_conflict_do_update(index_elements=index, set_=state))
    _remember_reference(connection, application, person_id=person_id, program=program)
    return known is None or known.status is not holding.status


def _remember_reference(
    connection: Connection, application: Application, *, person_id: int, program: str | None
) -> None:
    """Which application the source calls so; by the newest report, whichever source the row itself names."""
    if application.application_id is None:
        return
    named = select(
        literal(application.source),
        literal(application.application_id),
        ApplicationRow.id,
        literal(application.said_at, ApplicationReferenceRow.occurred_at.type),
    ).where(
        ApplicationRow.person_id == person_id,
        ApplicationRow.program.is_not_distinct_from(program),
        ApplicationRow.entry_term == str(application.entry_term),
        ApplicationRow.copied_from.is_(None),
    )
    columns = ["source", "reference", "application_id", "occurred_at"]
    statement = insert_or_update(ApplicationReferenceRow).from_select(columns, named)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ApplicationReferenceRow.source, ApplicationReferenceRow.reference],
            set_={name: statement.excluded[name] for name in ("application_id", "occurred_at")},
            where=ApplicationReferenceRow.occurred_at <= statement.excluded.occurred_at,
        )
    )


def _program_of(connection: Connection, application: Application, *, person_id: int) -> str | None:
    """The program of an application, said now or before; its row that had none gets it.

    Another program or term makes another row instead: what was submitted stays submitted (R7), and whoever defers is
    not reminded of the term that they leave.
    """
    if application.application_id is None:
        return application.program
    same = (
        (ApplicationRow.person_id == person_id)
        & (ApplicationRow.source == application.source)
        & (ApplicationRow.reference == application.application_id)
        & (ApplicationRow.entry_term == str(application.entry_term))
        & ApplicationRow.copied_from.is_(None)
    )
    if application.program is None:
        said = select(ApplicationRow.program).where(same).order_by(ApplicationRow.occurred_at.desc()).limit(1)
        return connection.execute(said).scalar_one_or_none()
    other = aliased(ApplicationRow)
    taken = exists().where(
        other.person_id == person_id,
        other.program == application.program,
        other.entry_term == str(application.entry_term),
        other.copied_from.is_(None),
    )
    unnamed = update(ApplicationRow).where(same, ApplicationRow.program.is_(None), ~taken)
    connection.execute(unnamed.values(program=application.program))
    return application.program


def known_report(
    connection: Connection, *, person_id: int, program: str | None, entry_term: str
) -> StatusReport | None:
    """The report that holds for this person, program and term; None: nobody has reported an application."""
    statement = select(ApplicationRow.status, ApplicationRow.occurred_at).where(
        ApplicationRow.person_id == person_id,
        ApplicationRow.program.is_not_distinct_from(program),
        ApplicationRow.entry_term == entry_term,
        ApplicationRow.copied_from.is_(None),
    )
    row = connection.execute(statement).first()
    return StatusReport(ApplicationStatus(row.status), row.occurred_at) if row else None
