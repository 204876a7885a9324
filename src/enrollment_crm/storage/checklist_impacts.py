"""Checklist reminders before and after a change: the applicants counted whose application awaits something."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.checklist_reminders import Expectation
from enrollment_crm.domain.checklists import ItemStatus
from enrollment_crm.domain.impacts import PeopleGroup
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.checklists import belongs_together, expected_table, program_applied_for
from enrollment_crm.storage.impacts import (
    ImpactQuestion,
    count_alike,
    lately,
    ledger_table,
    rounds_table,
    row_of,
    unknown_at,
    was_sent,
)
from enrollment_crm.storage.models import ApplicationReferenceRow, ApplicationRow, ChecklistItemRow, CoverRow, PersonRow
from enrollment_crm.storage.withholding import withheld_reason

_KIND = MessageKind.CHECKLIST_REMINDER


def applicant_groups(
    connection: Connection, question: ImpactQuestion, expectations: Sequence[Expectation], *, default_program: str
) -> list[PeopleGroup]:
    """Those who submitted for one of the rounds and whose application awaits something, alike people together.

    ``since`` is when the first such item was listed: a point before that was not for them (R5). Neither a pause nor the
    end of a consent withholds what is about their own application.

    Args:
        default_program: of applications whose source names no program.
    """
    applicants = _applicants(question, expectations, default_program)
    reminded = CoverRow.kind == _KIND.value
    # Nobody is told of one deadline at one instant both that it is ahead and what it still lacks.
    told = and_(CoverRow.kind == MessageKind.DEADLINE_REMINDER.value, CoverRow.message_row_id.is_not(None))
    ledger = ledger_table(
        question,
        settled=or_(and_(reminded, not_(CoverRow.released)), told),
        sent=and_(reminded, was_sent()),
        of=and_(or_(reminded, told), CoverRow.person_id.in_(select(applicants.c.person_id))),
    )
    nothing: dict[str, ColumnElement[Any]] = {
        # That a date has moved, those are told who were reminded of the date itself.
        "not_told": literal("no notice", Text),
        "paused_after": null().cast(Integer),
        "consented_for": null().cast(Integer),
    }
    columns = row_of(
        applicants.c.number,
        ledger,
        withheld=withheld_reason(_KIND, topic=question.reminder_topic),
        since=lately(applicants.c.listed_at, question),
        changed_at=null().cast(Integer),
        unknown_at=unknown_at(question),
        **nothing,
    )
    of_person = [ledger.c.person_id == applicants.c.person_id, ledger.c.number == applicants.c.number]
    people = (
        select(*columns)
        .select_from(applicants)
        .join(PersonRow, PersonRow.id == applicants.c.person_id)
        .outerjoin(ledger, and_(*of_person))
    )
    return count_alike(connection, question, people)


def _applicants(question: ImpactQuestion, expectations: Sequence[Expectation], default_program: str) -> CTE:
    """One row a person and round of an application that awaits something: since when the first of it is listed."""
    rounds, expected, program = (
        rounds_table(question),
        expected_table(expectations),
        program_applied_for(default_program),
    )
    of_round = [rounds.c.program == program, rounds.c.entry_term == ApplicationRow.entry_term]
    may_be_spoken_of = [
        expected.c.program == program,
        expected.c.residency == PersonRow.residency,
        expected.c.item == ChecklistItemRow.item,
    ]
    statement: Select[Any] = (
        select(ApplicationRow.person_id, rounds.c.number, func.min(ChecklistItemRow.listed_at).label("listed_at"))
        .select_from(ChecklistItemRow)
        .join(ApplicationReferenceRow, belongs_together())
        .join(ApplicationRow, ApplicationRow.id == ApplicationReferenceRow.application_id)
        .join(PersonRow, PersonRow.id == ApplicationRow.person_id)
        .join(rounds, and_(*of_round))
        .join(expected, and_(*may_be_spoken_of))
        .where(
            ChecklistItemRow.status == ItemStatus.AWAITING.value,
            ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
            PersonRow.needs_routing.is_(False),
        )
        .group_by(ApplicationRow.person_id, rounds.c.number)
    )
    return statement.cte("applicants").prefix_with("MATERIALIZED")
