"""Reminders: the people of a due cell, counted or claimed (R5, R6, R7, R8)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Connection,
    DateTime,
    Select,
    Text,
    and_,
    case,
    cast,
    distinct,
    exists,
    func,
    literal,
    not_,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.cells import CellPart, DuePeople, in_zone_of, lives_in
from enrollment_crm.storage.claims import Claim, DueCount, claim_due
from enrollment_crm.storage.due_points import (
    KEYS,
    concerns,
    contended_points,
    due_at_of,
    is_open,
    is_theirs,
    points_table,
    still_useful,
)
from enrollment_crm.storage.invitations import due_invitations
from enrollment_crm.storage.models import MESSAGE_IDS, InterestRow, PersonRow
from enrollment_crm.storage.withholding import withheld_then

_Rows = Select[*tuple[Any, ...]]
#: The greatest that the database can hand out.
LAST_PERSON_ID = 2**63 - 1
_INSTANT = DateTime(timezone=True)


def count_due_people(connection: Connection, people: DuePeople) -> DueCount:
    """How many people of the cell are due."""
    due = covers_of(people)
    every = func.count(distinct(due.c.person_id))
    row = connection.execute(select(every, every.filter(due.c.withheld.is_(None)))).one()
    return DueCount(row[0], row[1])


def split_due_people(connection: Connection, people: DuePeople, *, parts: int) -> list[tuple[CellPart, int, int]]:
    """The due people of a cell in parts of about the same size, in the order of their ids.

    Each part comes with its people, and with how many of them would get a message. The last one has no end: whoever
    arrives in the meantime belongs to it.
    """
    due = covers_of(people)
    person = (
        select(
            due.c.person_id,
            func.bool_or(due.c.withheld.is_(None)).label("gets_one"),
            func.ntile(parts).over(order_by=due.c.person_id).label("part"),
        )
        .group_by(due.c.person_id)
        .subquery()
    )
    found = connection.execute(
        select(
            func.max(person.c.person_id).label("last"),
            func.count().label("people"),
            func.count().filter(person.c.gets_one).label("to_send"),
        )
        .group_by(person.c.part)
        .order_by(person.c.part)
    ).all()
    ends = [*(row.last for row in found[:-1]), LAST_PERSON_ID]
    begins = [people.after_person_id, *ends[:-1]]
    return [
        (CellPart(after, last), row.people, row.to_send) for after, last, row in zip(begins, ends, found, strict=True)
    ]


@dataclass(frozen=True)
class DuePage:
    """The due people among some of a cell, and the person up to whom it has been gone through; None: to its end."""

    person_ids: Sequence[int]
    through_person_id: int | None


def next_due_people(connection: Connection, people: DuePeople, *, size: int) -> DuePage:
    """Who is due among the next ``size`` people of the zone, the most urgent deadline first.

    A cell is gone through once, however large it is.
    """
    window = select(PersonRow.id).where(*lives_in(people)).order_by(PersonRow.id).limit(size).subquery()
    last, number = connection.execute(select(func.max(window.c.id), func.count())).one()
    if last is None:
        return DuePage((), None)
    due = covers_of(replace(people, through_person_id=last))
    urgency = [func.min(due.c.stated_date)] if "stated_date" in due.c else []
    chosen = select(due.c.person_id).group_by(due.c.person_id).order_by(*urgency, due.c.person_id)
    ids = connection.execute(chosen).scalars()
    return DuePage(tuple(ids), last if number == size else None)


def claim_due_people(connection: Connection, people: DuePeople, *, lease: timedelta, now: datetime) -> Claim:
    """Claim the messages of ``people.person_ids``; those whom another worker holds are left to it."""
    lock = select(PersonRow.id).where(PersonRow.id == func.any(list(people.person_ids or ()))).order_by(PersonRow.id)
    held = set(connection.execute(lock.with_for_update(skip_locked=True)).scalars())
    # In the order in which they were chosen: messages go out in the order of their ids.
    ours = [one for one in people.person_ids or () if one in held]
    # Read again now that they are ours: what withholds (R7) is tested in the statement that claims.
    rows = _with_message_ids(covers_of(replace(people, person_ids=ours)), ours)
    return claim_due(connection, rows, kind=MessageKind.DEADLINE_REMINDER, lease=lease, now=now)


def claim_all_due_people(connection: Connection, people: DuePeople, *, now: datetime) -> Claim:
    """Settle a whole cell in one statement: for what is only recorded, and never sent."""
    due = covers_of(people)
    # The type is said: a bare NULL of a subquery is text to PostgreSQL.
    rows = select(null().cast(BigInteger).label("message_id"), *(one for one in due.c if one.name != "along"))
    return claim_due(connection, rows, kind=MessageKind.DEADLINE_REMINDER, lease=timedelta(0), now=now)


def _with_message_ids(due: CTE, person_ids: Sequence[int]) -> _Rows:
    """One message a person for all deadlines and the invitation of that day (R8); else the invitation by itself."""
    numbered = (
        select(
            # Of an empty list PostgreSQL could not tell the type.
            func.unnest(cast(list(person_ids), ARRAY(BigInteger))).label("person_id"),
            MESSAGE_IDS.next_value().label("reminder_id"),
            MESSAGE_IDS.next_value().label("invitation_id"),
        )
        .cte("numbered")
        .prefix_with("MATERIALIZED")
    )
    message_id = case((due.c.along, numbered.c.reminder_id), else_=numbered.c.invitation_id)
    return (
        select(message_id.label("message_id"), *(one for one in due.c if one.name != "along"))
        .join(numbered, numbered.c.person_id == due.c.person_id)
        .order_by(due.c.person_id, due.c.catch_up, due.c.due_at)
    )


def covers_of(people: DuePeople) -> CTE:
    """One row a person and key that has no cover yet; ``along``: it belongs to the person's deadline message.

    Where later looks are asked for too, ``look`` says which one settles the key: the first that finds it.
    """
    has_invitations = any(cell.invitations for cell in people.cells)
    if not any(cell.points for cell in people.cells):
        return _first_of_invitations(people, due_invitations(people, going=None)).cte("due")
    if not has_invitations:
        return _first_of_reminders(people).cte("due")
    deadline = _first_of_reminders(people).cte("deadline_covers")
    invitations = _first_of_invitations(people, due_invitations(people, going=deadline))
    return union_all(select(*deadline.c), invitations).cte("due")


def _first_of_reminders(people: DuePeople) -> _Rows:
    """Of a key that several looks find, the first; of a catch-up that an earlier look overtakes, nothing (R6).

    Where only one look is asked for, the claim itself sees to both.
    """
    rows = _deadline_covers(people)
    if not people.later:
        return rows
    if not any(contended_points(people)):
        return rows
    found = rows.cte("found")
    free = select(*found.c).where(not_(found.c.contended))
    once = (found.c.person_id, *(found.c[key] for key in KEYS))
    first = select(*found.c).where(found.c.contended).ext(distinct_on(*once))
    first = first.order_by(*once, found.c.look, found.c.catch_up, found.c.due_at)
    return select(*union_all(free, _without_overtaken(first, found)).subquery("settled").c)


def _without_overtaken(rows: _Rows, found: CTE) -> _Rows:
    late, newer = rows.subquery("late"), found.alias("newer")
    sent_before = (
        select(1)
        .where(
            *(newer.c[name] == late.c[name] for name in ("person_id", "program", "entry_term", "round")),
            newer.c.look < late.c.look,
            newer.c.withheld.is_(None),
        )
        .correlate_except(newer)
    )
    return select(*late.c).where(not_(and_(late.c.catch_up, exists(sent_before))))


def _first_of_invitations(people: DuePeople, rows: _Rows) -> _Rows:
    keys = Counter(
        (cell.zone, one.prep_session_id, one.starts, one.offset) for cell in people.cells for one in cell.invitations
    )
    if not people.later or max(keys.values(), default=0) <= 1:
        return rows
    found = rows.cte("invitations_found")
    once = (found.c.person_id, found.c.prep_session_id, found.c.session_starts, found.c.offset)
    return select(*found.c).ext(distinct_on(*once)).order_by(*once, found.c.look, found.c.due_at)


def _deadline_covers(people: DuePeople) -> _Rows:
    """The deadlines of the cell; ``withheld`` from the point itself, else from R7."""
    point = points_table(people)
    due_at = due_at_of(point)
    by_person = withheld_then(
        due_at,
        MessageKind.DEADLINE_REMINDER,
        topic=people.reminder_topic,
        program=InterestRow.program,
        entry_term=InterestRow.entry_term,
    )
    return (
        select(
            PersonRow.id.label("person_id"),
            literal(MessageKind.DEADLINE_REMINDER.value).label("kind"),
            *(point.c[key] for key in KEYS),
            null().cast(Text).label("prep_session_id"),
            null().cast(_INSTANT).label("session_starts"),
            due_at.label("due_at"),
            point.c.catch_up,
            case((point.c.withheld != "", point.c.withheld), else_=by_person).label("withheld"),
            true().label("along"),
            point.c.residency,
            point.c.look,
            point.c.contended,
        )
        .select_from(PersonRow)
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .join(point, and_(is_theirs(point), in_zone_of(people, point)))
        .where(
            *lives_in(people),
            concerns(point),
            still_useful(point, MessageKind.DEADLINE_REMINDER),
            is_open(point),
        )
    )
