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
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Integer,
    Select,
    TableValuedAlias,
    Text,
    and_,
    case,
    cast,
    distinct,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.cells import DuePeople, in_zone_of, lives_in
from enrollment_crm.storage.claims import Claim, DueCount, claim_due, not_yet_covered
from enrollment_crm.storage.invitations import due_invitations
from enrollment_crm.storage.models import MESSAGE_IDS, CoverRow, InterestRow, PersonRow
from enrollment_crm.storage.relations import Columns, relation
from enrollment_crm.storage.withholding import withheld_reason

_Rows = Select[*tuple[Any, ...]]
_INSTANT = DateTime(timezone=True)
_TEXTS = ("program", "entry_term", "round", "residency", "offset", "withheld")
_INSTANTS = ("instant", "due_at", "there_by", "changed_at", "handed_over")
_POINT: Columns = {
    "look": Integer,
    "zone": Text,
    **dict.fromkeys(_TEXTS, Text),
    **dict.fromkeys(_INSTANTS, _INSTANT),
    "stated_date": Date,
    "catch_up": Boolean,
    "contended": Boolean,
}
_KEYS = ("program", "entry_term", "round", "stated_date", "offset")


def count_due_people(connection: Connection, people: DuePeople) -> DueCount:
    """How many people of the cell are due."""
    due = covers_of(people)
    every = func.count(distinct(due.c.person_id))
    row = connection.execute(select(every, every.filter(due.c.withheld.is_(None)))).one()
    return DueCount(row[0], row[1])


@dataclass(frozen=True)
class DuePage:
    """The due people among some of a cell, and the person up to whom it has been gone through; None: to its end."""

    person_ids: Sequence[int]
    through_person_id: int | None


def next_due_people(connection: Connection, people: DuePeople, *, size: int) -> DuePage:
    """Who is due among the next ``size`` people of the zone: a cell is gone through once, however large it is."""
    window = select(PersonRow.id).where(*lives_in(people)).order_by(PersonRow.id).limit(size).subquery()
    last, number = connection.execute(select(func.max(window.c.id), func.count())).one()
    if last is None:
        return DuePage((), None)
    due = covers_of(replace(people, through_person_id=last))
    ids = connection.execute(select(due.c.person_id).distinct().order_by(due.c.person_id)).scalars()
    return DuePage(tuple(ids), last if number == size else None)


def claim_due_people(connection: Connection, people: DuePeople, *, lease: timedelta, now: datetime) -> Claim:
    """Claim the messages of ``people.person_ids``; those whom another worker holds are left to it."""
    lock = select(PersonRow.id).where(PersonRow.id == func.any(list(people.person_ids or ()))).order_by(PersonRow.id)
    ours = list(connection.execute(lock.with_for_update(skip_locked=True)).scalars())
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
    if not any(_contended(people)):
        return rows
    found = rows.cte("found")
    free = select(*found.c).where(not_(found.c.contended))
    once = (found.c.person_id, *(found.c[key] for key in _KEYS))
    first = select(*found.c).where(found.c.contended).ext(distinct_on(*once))
    first = first.order_by(*once, found.c.look, found.c.catch_up, found.c.due_at)
    return select(*union_all(free, _without_overtaken(first, found)).subquery("settled").c)


def _contended(people: DuePeople) -> list[bool]:
    """Whether another point of the looks of its zone can have the same key or, of a catch-up, be newer."""
    points = [(cell.zone, point) for cell in people.cells for point in cell.points]
    keys = Counter((zone, p.residency, *(getattr(p, key) for key in _KEYS)) for zone, p in points)
    seen: set[tuple[str, ...]] = set()
    contended = []
    for zone, point in points:
        deadline = (zone, point.residency, point.program, point.entry_term, point.round)
        key = (zone, point.residency, *(getattr(point, name) for name in _KEYS))
        contended.append(keys[key] > 1 or (point.catch_up and deadline in seen))
        seen.add(deadline)
    return contended


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
    by_person = withheld_reason(
        MessageKind.DEADLINE_REMINDER,
        topic=people.reminder_topic,
        program=InterestRow.program,
        entry_term=InterestRow.entry_term,
    )
    return (
        select(
            PersonRow.id.label("person_id"),
            literal(MessageKind.DEADLINE_REMINDER.value).label("kind"),
            *(point.c[key] for key in _KEYS),
            null().cast(Text).label("prep_session_id"),
            null().cast(_INSTANT).label("session_starts"),
            point.c.due_at,
            point.c.catch_up,
            case((point.c.withheld != "", point.c.withheld), else_=by_person).label("withheld"),
            true().label("along"),
            point.c.residency,
            point.c.look,
            point.c.contended,
        )
        .select_from(PersonRow)
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .join(point, and_(_is_theirs(point), in_zone_of(people, point)))
        .where(
            *lives_in(people),
            concerns(point),
            still_useful(point, MessageKind.DEADLINE_REMINDER),
            _open(point),
        )
    )


def points_table(people: DuePeople) -> TableValuedAlias:
    """SQL: the points of all looks, one row each."""
    points = [(look, cell.zone, one) for look, cell in enumerate(people.cells) for one in cell.points]
    rows = [
        (
            look,
            zone,
            *(getattr(one, name) or "" for name in _TEXTS),
            *(getattr(one, name) for name in _INSTANTS),
            one.stated_date,
            one.catch_up,
            contended,
        )
        for (look, zone, one), contended in zip(points, _contended(people), strict=True)
    ]
    return relation("point", _POINT, rows)


def _is_theirs(point: TableValuedAlias) -> ColumnElement[bool]:
    return and_(
        point.c.program == InterestRow.program,
        point.c.entry_term == InterestRow.entry_term,
        point.c.residency == PersonRow.residency,
    )


def concerns(point: TableValuedAlias) -> ColumnElement[bool]:
    """R2, R5, R6: there by the point or the turn, and not handed another date since.

    Wrapped, because the planner would multiply the chances of its parts, take next to nobody for concerned, and look
    up a million people one by one.
    """
    return func.coalesce(and_(_was_there(point), _not_handed_over(point)), false())


def _was_there(point: TableValuedAlias) -> ColumnElement[bool]:
    """There, and nothing changed for them since, by the point or the turn; or it was their own turn."""
    exactly_then = or_(point.c.changed_at.is_(None), InterestRow.changed_at == point.c.changed_at)
    return and_(InterestRow.since <= point.c.there_by, InterestRow.changed_at <= point.c.there_by, exactly_then)


def _not_handed_over(point: TableValuedAlias) -> ColumnElement[bool]:
    """What lay behind a date when it was handed to people of unknown residency is never caught up."""
    forever = literal("infinity").cast(_INSTANT)
    handed = point.c.handed_over
    was_unknown_then = and_(
        func.coalesce(PersonRow.unknown_from, forever) < handed,
        func.coalesce(PersonRow.unknown_until, forever) >= handed,
        InterestRow.since < handed,
    )
    return or_(handed.is_(None), not_(was_unknown_then))


def still_useful(point: TableValuedAlias, kind: MessageKind) -> ColumnElement[bool]:
    """SQL, R6, R9: a missed point is for those who have had nothing newer of its deadline, also of another date."""
    newer = aliased(CoverRow)
    sent = or_(newer.message_row_id.is_not(None), newer.withheld == WithholdReason.ALREADY_SENT.value)
    had_newer = exists(
        select(1)
        .where(
            newer.person_id == PersonRow.id,
            newer.kind == kind.value,
            *(getattr(newer, key) == point.c[key] for key in ("program", "entry_term", "round")),
            newer.recorded_at >= point.c.instant,
            sent,
        )
        .correlate_except(newer)
    )
    return or_(not_(point.c.catch_up), not_(had_newer))


def _open(point: TableValuedAlias) -> ColumnElement[bool]:
    return not_yet_covered(MessageKind.DEADLINE_REMINDER, PersonRow.id, **{key: point.c[key] for key in _KEYS})
