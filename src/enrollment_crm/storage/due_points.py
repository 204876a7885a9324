"""Due points, as a table of a statement, and whom of the people each of them concerns (R2, R5, R6)."""

from collections import Counter
from datetime import datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    TableValuedAlias,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.storage.claims import not_yet_covered
from enrollment_crm.storage.models import CoverRow, InterestRow, PersonRow
from enrollment_crm.storage.relations import Columns, relation

_INSTANT = DateTime(timezone=True)
_TEXTS = ("program", "entry_term", "round", "residency", "offset", "withheld")
_INSTANTS = ("instant", "due_at", "there_by", "changed_from", "changed_at", "handed_over")
_POINT: Columns = {
    "look": Integer,
    "zone": Text,
    **dict.fromkeys(_TEXTS, Text),
    **dict.fromkeys(_INSTANTS, _INSTANT),
    "stated_date": Date,
    "catch_up": Boolean,
    "contended": Boolean,
}
#: The columns of R5's key that a deadline has.
KEYS = ("program", "entry_term", "round", "stated_date", "offset")


def contended_points(people: DuePeople) -> list[bool]:
    """Whether another point of the looks of its zone can have the same key or, of a catch-up, be newer."""
    points = [(cell.zone, point) for cell in people.cells for point in cell.points]
    keys = Counter((zone, p.residency, *(getattr(p, key) for key in KEYS)) for zone, p in points)
    seen: set[tuple[str, ...]] = set()
    contended = []
    for zone, point in points:
        deadline = (zone, point.residency, point.program, point.entry_term, point.round)
        key = (zone, point.residency, *(getattr(point, name) for name in KEYS))
        contended.append(keys[key] > 1 or (point.catch_up and deadline in seen))
        seen.add(deadline)
    return contended


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
        for (look, zone, one), contended in zip(points, contended_points(people), strict=True)
    ]
    return relation("point", _POINT, rows)


def is_theirs(point: TableValuedAlias) -> ColumnElement[bool]:
    """SQL: the point is of the interest\'s program and term, and for the person\'s group."""
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
    exactly_then = or_(
        point.c.changed_at.is_(None), InterestRow.changed_at.between(point.c.changed_from, point.c.changed_at)
    )
    return and_(InterestRow.since <= point.c.there_by, InterestRow.changed_at <= point.c.there_by, exactly_then)


def _not_handed_over(point: TableValuedAlias) -> ColumnElement[bool]:
    """What lay behind a date when it was handed to people of unknown residency is never caught up."""
    handed = point.c.handed_over
    return or_(handed.is_(None), not_(and_(was_unknown_at(handed), InterestRow.since < handed)))


def was_unknown_at(instant: ColumnElement[datetime]) -> ColumnElement[bool]:
    """SQL, R2: the person's residency was unknown then, by the last spell of it; never NULL for a given instant."""
    forever = literal("infinity").cast(_INSTANT)
    began, ended = (func.coalesce(one, forever) for one in (PersonRow.unknown_from, PersonRow.unknown_until))
    return and_(began < instant, ended >= instant)


def due_at_of(point: TableValuedAlias) -> ColumnElement[datetime]:
    """SQL: when the point is due to the person: of a stretch of turns that settle at once, at their own turn."""
    return case((point.c.due_at == point.c.changed_at, InterestRow.changed_at), else_=point.c.due_at)


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
            ~newer.released,
            sent,
        )
        .correlate_except(newer)
    )
    return or_(not_(point.c.catch_up), not_(had_newer))


def is_open(point: TableValuedAlias) -> ColumnElement[bool]:
    """SQL: the person has no cover with the key of the point (R5)."""
    return not_yet_covered(MessageKind.DEADLINE_REMINDER, PersonRow.id, **{key: point.c[key] for key in KEYS})
