"""Checklists: items as they stand, and what of them applications still await."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    TableValuedAlias,
    Text,
    and_,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.checklist_reminders import Expectation
from enrollment_crm.domain.checklists import (
    ChecklistItem,
    ChecklistReport,
    ItemState,
    ItemStatus,
    MissingItems,
    newer_state,
)
from enrollment_crm.storage.models import ApplicationReferenceRow, ApplicationRow, ChecklistItemRow
from enrollment_crm.storage.relations import relation


def report_item(connection: Connection, report: ChecklistReport, *, inbox_id: int) -> None:
    """Take in a report; the newest by the source's clock stays. Loaders take turns: nobody else writes meanwhile."""
    same = and_(
        ChecklistItemRow.application_source == report.application_source,
        ChecklistItemRow.application_reference == report.application_reference,
        ChecklistItemRow.source == report.source,
        ChecklistItemRow.name == report.name,
    )
    known = connection.execute(select(ChecklistItemRow.__table__).where(same)).first()
    reported = {"code": report.code, "item": report.item, **_columns(report.state)}
    if known is None:
        key = {
            "application_source": report.application_source,
            "application_reference": report.application_reference,
            "source": report.source,
            "name": report.name,
        }
        first = {"listed_at": report.state.received_at, "inbox_ids": [inbox_id]}
        connection.execute(insert(ChecklistItemRow).values({**key, **reported, **first}))
        return
    heard: dict[str, Any] = {
        "inbox_ids": func.array_append(ChecklistItemRow.inbox_ids, inbox_id),
        "listed_at": func.least(ChecklistItemRow.listed_at, report.state.received_at),
    }
    holds = newer_state(_state_of(known), report.state) is report.state
    connection.execute(update(ChecklistItemRow).where(same).values({**heard, **(reported if holds else {})}))


def _columns(state: ItemState) -> dict[str, Any]:
    return {"status": state.status.value, "occurred_at": state.occurred_at, "received_at": state.received_at}


def _state_of(row: Row[Any]) -> ItemState:
    return ItemState(ItemStatus(row.status), row.occurred_at, row.received_at)


def unknown_codes(connection: Connection) -> list[tuple[str, str]]:
    """Source and code of the items whose code nobody has given a meaning yet."""
    statement = select(ChecklistItemRow.source, ChecklistItemRow.code).where(ChecklistItemRow.item.is_(None))
    return [(row.source, row.code) for row in connection.execute(statement.distinct())]


def give_meaning(connection: Connection, *, source: str, code: str, item: ChecklistItem) -> None:
    """The value map of the source knows the code by now: so do the items that came before."""
    unknown = (ChecklistItemRow.source == source) & (ChecklistItemRow.code == code) & ChecklistItemRow.item.is_(None)
    connection.execute(update(ChecklistItemRow).where(unknown).values(item=item.value))


def people_with_unknown_codes(connection: Connection) -> list[tuple[int, str, str]]:
    """Person, source and code of awaited items that nobody can tell the meaning of, where the person is known."""
    statement = (
        select(ApplicationRow.person_id, ChecklistItemRow.source, ChecklistItemRow.code)
        .distinct()
        .select_from(ChecklistItemRow)
        .join(ApplicationReferenceRow, belongs_together())
        .join(ApplicationRow, ApplicationRow.id == ApplicationReferenceRow.application_id)
        .where(ChecklistItemRow.item.is_(None), ChecklistItemRow.status == ItemStatus.AWAITING.value)
        .order_by(ApplicationRow.person_id, ChecklistItemRow.code)
    )
    return [(row.person_id, row.source, row.code) for row in connection.execute(statement)]


def anything_missing(connection: Connection) -> bool:
    """Whether any application awaits anything: without that, nobody needs to look further."""
    awaiting = select(1).where(ChecklistItemRow.status == ItemStatus.AWAITING.value)
    return bool(connection.execute(select(exists(awaiting))).scalar_one())


def missing_items(
    connection: Connection, expectations: Sequence[Expectation], *, person_id: int, residency: str, default_program: str
) -> list[MissingItems]:
    """What the submitted applications of a person await, as far as they may be spoken to of it."""
    expected = expected_table(expectations)
    program = program_applied_for(default_program)
    statement = (
        select(
            program.label("program"), ApplicationRow.entry_term, ChecklistItemRow.item, func.count().label("how_many")
        )
        .select_from(ApplicationRow)
        .join(ApplicationReferenceRow, ApplicationReferenceRow.application_id == ApplicationRow.id)
        .join(ChecklistItemRow, belongs_together())
        .join(expected, and_(expected.c.program == program, expected.c.item == ChecklistItemRow.item))
        .where(
            ApplicationRow.person_id == person_id,
            ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
            expected.c.residency == residency,
            ChecklistItemRow.status == ItemStatus.AWAITING.value,
        )
        .group_by(program, ApplicationRow.entry_term, ChecklistItemRow.item)
        .order_by(program, ApplicationRow.entry_term, ChecklistItemRow.item)
    )
    rows = connection.execute(statement)
    return [MissingItems(row.program, row.entry_term, ChecklistItem(row.item), row.how_many) for row in rows]


def program_applied_for(default_program: str) -> ColumnElement[str]:
    """SQL: the program of an application; the default one where its source names none."""
    return func.coalesce(ApplicationRow.program, literal(default_program))


def expected_table(expectations: Sequence[Expectation]) -> TableValuedAlias:
    """SQL: what applicants may be reminded of, as a table."""
    rows = [(one.program, one.residency.value, one.item.value) for one in expectations]
    return relation("expected", {"program": Text(), "residency": Text(), "item": Text()}, rows)


def awaits_something(
    expected: TableValuedAlias, *, program: ColumnElement[str], residency: Any, listed_by: Any
) -> ColumnElement[bool]:
    """SQL: the application of the row awaits something that was listed by then, and that may be spoken of."""
    missing = (
        select(1)
        .select_from(ApplicationReferenceRow)
        .join(ChecklistItemRow, belongs_together())
        .join(expected, expected.c.item == ChecklistItemRow.item)
        .where(
            ApplicationReferenceRow.application_id == ApplicationRow.id,
            ChecklistItemRow.status == ItemStatus.AWAITING.value,
            ChecklistItemRow.listed_at <= listed_by,
            expected.c.program == program,
            expected.c.residency == residency,
        )
    )
    return exists(missing.correlate_except(ApplicationReferenceRow, ChecklistItemRow, expected))


def awaits_nothing(person_id: Any, *, program: Any, entry_term: Any) -> ColumnElement[bool]:
    """SQL: no application of the person for this program and term awaits anything any more."""
    missing = (
        select(1)
        .select_from(ApplicationRow)
        .join(ApplicationReferenceRow, ApplicationReferenceRow.application_id == ApplicationRow.id)
        .join(ChecklistItemRow, belongs_together())
        .where(
            ApplicationRow.person_id == person_id,
            func.coalesce(ApplicationRow.program, program) == program,
            ApplicationRow.entry_term == entry_term,
            ChecklistItemRow.status == ItemStatus.AWAITING.value,
        )
    )
    return ~exists(missing.correlate_except(ApplicationRow, ApplicationReferenceRow, ChecklistItemRow))


def belongs_together() -> ColumnElement[bool]:
    """SQL: the item and the reference of an application name the same application."""
    return and_(
        ChecklistItemRow.application_source == ApplicationReferenceRow.source,
        ChecklistItemRow.application_reference == ApplicationReferenceRow.reference,
    )
