"""Checklist reminders: submitted applications of a cell that await something, counted or claimed (R3, R5, R6, R7)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    TableValuedAlias,
    Text,
    and_,
    case,
    distinct,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from enrollment_crm.domain.applications import ApplicationStatus
from enrollment_crm.domain.checklist_reminders import Expectation
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.cells import DuePeople, in_zone_of, lives_in
from enrollment_crm.storage.checklists import awaits_something, expected_table, program_applied_for
from enrollment_crm.storage.claims import Claim, DueCount, claim_due, not_yet_covered
from enrollment_crm.storage.due_points import points_table, still_useful, was_unknown_at
from enrollment_crm.storage.models import MESSAGE_IDS, ApplicationRow, CoverRow, PersonRow
from enrollment_crm.storage.relations import relation
from enrollment_crm.storage.withholding import withheld_reason

_KIND = MessageKind.CHECKLIST_REMINDER
_KEYS = ("program", "entry_term", "round", "stated_date", "offset")


@dataclass(frozen=True)
class DueApplicants:
    """A cell, with what decides whose application of it lacks something."""

    people: DuePeople
    expectations: Sequence[Expectation]
    #: Of applications whose source names no program.
    default_program: str

    def only(self, person_ids: Sequence[int]) -> "DueApplicants":
        """The same question about some people."""
        return replace(self, people=replace(self.people, person_ids=person_ids))


def count_due_applicants(connection: Connection, applicants: DueApplicants) -> DueCount:
    """How many applicants of the cell are due."""
    due = covers_of_applicants(applicants)
    every = func.count(distinct(due.c.person_id))
    row = connection.execute(select(every, every.filter(due.c.withheld.is_(None)))).one()
    return DueCount(row[0], row[1])


def ids_of_due_applicants(connection: Connection, applicants: DueApplicants) -> list[int]:
    """Who of the cell is due, in the order of ids: a cell is gone through once, however large it is."""
    due = covers_of_applicants(applicants)
    return list(connection.execute(select(due.c.person_id).distinct().order_by(due.c.person_id)).scalars())


def claim_due_applicants(
    connection: Connection, applicants: DueApplicants, ids: Sequence[int], *, lease: timedelta, now: datetime
) -> Claim:
    """Claim the messages of these applicants, one message each; people of another worker are left to it."""
    lock = select(PersonRow.id).where(PersonRow.id == func.any(list(ids))).order_by(PersonRow.id)
    ours = list(connection.execute(lock.with_for_update(skip_locked=True)).scalars())
    # Read again now that they are ours: whoever holds a person may be claiming a deadline reminder for them.
    mine = covers_of_applicants(applicants.only(ours))
    person = relation("person_of_message", {"person_id": BigInteger()}, [(one,) for one in ours])
    numbered = select(person.c.person_id, MESSAGE_IDS.next_value().label("message_id")).cte("numbered")
    numbered = numbered.prefix_with("MATERIALIZED")
    rows = (
        select(numbered.c.message_id, *mine.c)
        .join(numbered, numbered.c.person_id == mine.c.person_id)
        .order_by(mine.c.person_id, mine.c.catch_up, mine.c.due_at)
    )
    return claim_due(connection, rows, kind=_KIND, lease=lease, now=now)


def covers_of_applicants(applicants: DueApplicants) -> CTE:
    """One row a person and key that has no cover yet; ``withheld`` from the point itself, else from R7.

    The columns are those of ``covers_of``. Where later looks are asked for too, ``look`` says which one settles the
    key: the first that finds it.
    """
    people, point = applicants.people, points_table(applicants.people)
    program = program_applied_for(applicants.default_program)
    awaits = awaits_something(
        expected_table(applicants.expectations),
        program=program,
        residency=PersonRow.residency,
        listed_by=point.c.there_by,
    )
    by_person = withheld_reason(_KIND, topic=people.reminder_topic)
    once = (PersonRow.id, *(point.c[key] for key in _KEYS))
    return (
        select(
            PersonRow.id.label("person_id"),
            literal(_KIND.value).label("kind"),
            *(point.c[key] for key in _KEYS),
            point.c.due_at,
            point.c.catch_up,
            case((point.c.withheld != "", point.c.withheld), else_=by_person).label("withheld"),
            null().cast(Text).label("prep_session_id"),
            false().label("along"),
            point.c.residency,
            point.c.look,
        )
        .ext(distinct_on(*once))
        .select_from(PersonRow)
        .join(ApplicationRow, ApplicationRow.person_id == PersonRow.id)
        .join(point, and_(_is_theirs(point, program), in_zone_of(people, point)))
        .where(
            *lives_in(people),
            ApplicationRow.status == ApplicationStatus.SUBMITTED.value,
            awaits,
            _not_handed_over(point),
            _not_reminded_of_the_deadline(point),
            still_useful(point, _KIND),
            not_yet_covered(_KIND, PersonRow.id, **{key: point.c[key] for key in _KEYS}),
        )
        .order_by(*once, point.c.look, point.c.catch_up, point.c.due_at)
        .cte("due")
    )


def _is_theirs(point: TableValuedAlias, program: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(
        point.c.program == program,
        point.c.entry_term == ApplicationRow.entry_term,
        point.c.residency == PersonRow.residency,
    )


def _not_handed_over(point: TableValuedAlias) -> ColumnElement[bool]:
    """R2: what lay behind a date when it was handed to people of unknown residency is never caught up."""
    handed = point.c.handed_over
    return or_(handed.is_(None), not_(was_unknown_at(handed)))


def _not_reminded_of_the_deadline(point: TableValuedAlias) -> ColumnElement[bool]:
    """Nobody is told of one deadline at one instant both that it is ahead and what it still lacks."""
    reminder = aliased(CoverRow)
    reminded = select(1).where(
        reminder.person_id == PersonRow.id,
        reminder.kind == MessageKind.DEADLINE_REMINDER.value,
        *(getattr(reminder, key) == point.c[key] for key in _KEYS),
        reminder.message_row_id.is_not(None),
    )
    return not_(exists(reminded.correlate_except(reminder)))
