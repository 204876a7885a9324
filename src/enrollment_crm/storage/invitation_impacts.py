"""Invitations before and after a change: the people counted who will hear of a session, or not any more (R10)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    func,
    or_,
    select,
    union,
)
from sqlalchemy import not_ as negated

from enrollment_crm.domain.invitation_impacts import Help, InvitationCase, InvitationImpact
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.models import CoverRow, InterestRow, PersonRow, RegistrationRow
from enrollment_crm.storage.relations import Columns, prepare_to_count, relation
from enrollment_crm.storage.withholding import consent_ends_at, has_submitted, withheld_reason

_INSTANT = DateTime(timezone=True)


def count_invitations(connection: Connection, cases: Sequence[InvitationCase], *, topic: str) -> list[InvitationImpact]:
    """For each announcement, how many people the change brings an invitation, and takes one from."""
    if not cases:
        return []
    prepare_to_count(connection)
    reader = _readers(cases, topic).subquery("invited")
    statement = select(
        reader.c.number,
        func.count().filter(and_(reader.c.after, negated(reader.c.before))),
        func.count().filter(and_(reader.c.before, negated(reader.c.after))),
    ).group_by(reader.c.number)
    counts = {row[0]: (row[1], row[2]) for row in connection.execute(statement)}
    found: dict[tuple[str, Any], tuple[int, int]] = {}
    for number, case in enumerate(cases):
        key = case.announcement.prep_session_id, case.announcement.starts
        invited, not_invited = counts.get(number, (0, 0))
        known = found.get(key, (0, 0))
        found[key] = known[0] + invited, known[1] + not_invited
    return [InvitationImpact(*key, *count) for key, count in sorted(found.items()) if any(count)]


def _readers(cases: Sequence[InvitationCase], topic: str) -> Select[*tuple[Any, ...]]:
    """One row a case and person who may be invited: whether they are, before and after."""
    reader, zones, helps = _people_and_interests(cases, topic), _zones(cases), _helps(cases)
    of_cell = [helps.c[name] == reader.c[name] for name in ("program", "entry_term", "residency")]
    settled = _settled(cases)
    return (
        select(zones.c.number, reader.c.person_id, *(_is_invited(helps, name) for name in ("before", "after")))
        .select_from(reader)
        .join(zones, and_(zones.c.zone == reader.c.zone, reader.c.since <= zones.c.instant))
        .join(helps, and_(helps.c.number == zones.c.number, *of_cell))
        .outerjoin(settled, and_(settled.c.number == zones.c.number, settled.c.person_id == reader.c.person_id))
        .where(settled.c.person_id.is_(None), reader.c.withheld.is_(None), negated(reader.c.submitted))
        .where(*_goes_on(reader, zones.c.instant))
        .group_by(zones.c.number, reader.c.person_id)
        .having(func.bool_or(helps.c.before != helps.c.after))
    )


def _goes_on(reader: Subquery, instant: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """R7: no pause lasts beyond the instant, and a consent still holds."""
    paused, ends = reader.c.paused_until, reader.c.consent_ends_at
    return [or_(paused.is_(None), paused <= instant), or_(ends.is_(None), ends > instant)]


def _settled(cases: Sequence[InvitationCase]) -> CTE:
    """Case and person, where they are registered for the session or this invitation is settled: asked from that side,
    as there are few."""
    rows = [
        (number, case.announcement.prep_session_id, case.announcement.starts, case.announcement.offset)
        for number, case in enumerate(cases)
    ]
    columns: Columns = {"number": Integer, "prep_session_id": Text, "session_starts": _INSTANT, "offset": Text}
    announced = relation("announced", columns, rows)
    registered = select(announced.c.number, RegistrationRow.person_id).join(
        announced, announced.c.prep_session_id == RegistrationRow.prep_session_id
    )
    same = [announced.c[name] == getattr(CoverRow, name) for name in ("prep_session_id", "session_starts", "offset")]
    covered = (
        select(announced.c.number, CoverRow.person_id)
        .join(announced, and_(*same))
        .where(CoverRow.kind == MessageKind.SESSION_INVITATION.value, negated(CoverRow.released))
    )
    return union(registered, covered).cte("settled").prefix_with("MATERIALIZED")


def _people_and_interests(cases: Sequence[InvitationCase], topic: str) -> Subquery:
    """One row a person and interest, with what withholds; the offset keeps it from being worked out for each case."""
    of_term = {(program, term) for case in cases for program, term, _ in case.helps}
    terms = relation("term", {"program": Text, "entry_term": Text}, sorted(of_term))
    return (
        select(
            PersonRow.id.label("person_id"),
            PersonRow.zone,
            PersonRow.residency,
            InterestRow.program,
            InterestRow.entry_term,
            InterestRow.since,
            PersonRow.paused_until,
            consent_ends_at().label("consent_ends_at"),
            withheld_reason(MessageKind.SESSION_INVITATION, topic=topic).label("withheld"),
            has_submitted(InterestRow.program, InterestRow.entry_term).label("submitted"),
        )
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .join(terms, and_(terms.c.program == InterestRow.program, terms.c.entry_term == InterestRow.entry_term))
        .where(PersonRow.needs_routing.is_(False))
        .offset(0)
        .subquery("reader")
    )


def _is_invited(helps: Any, name: str) -> ColumnElement[bool]:
    """The session helps before the next of all deadlines of a reader: before one at least, and after none."""
    help_then = helps.c[name]
    before_one = func.bool_or(help_then == Help.BEFORE.value)
    return and_(before_one, negated(func.bool_or(help_then == Help.AFTER.value))).label(name)


def _zones(cases: Sequence[InvitationCase]) -> Any:
    rows = [
        (number, zone, instant, case.announcement.prep_session_id, case.announcement.starts, case.announcement.offset)
        for number, case in enumerate(cases)
        for zone, instant in case.zones.items()
    ]
    columns: Columns = {
        "number": Integer,
        "zone": Text,
        "instant": _INSTANT,
        "prep_session_id": Text,
        "session_starts": _INSTANT,
        "offset": Text,
    }
    return relation("invited_zone", columns, rows)


def _helps(cases: Sequence[InvitationCase]) -> Any:
    rows = [
        (number, *cell, before.value, after.value)
        for number, case in enumerate(cases)
        for cell, (before, after) in case.helps.items()
    ]
    texts = ("program", "entry_term", "residency", "before", "after")
    columns: Columns = {"number": Integer, **dict.fromkeys(texts, Text)}
    return relation("help", columns, rows)


def count_told(connection: Connection, prep_session_id: str, kind: MessageKind, *, topic: str) -> int:
    """How many of those who are registered for a session can be told of its change."""
    statement = (
        select(func.count())
        .select_from(RegistrationRow)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .where(RegistrationRow.prep_session_id == prep_session_id, withheld_reason(kind, topic=topic).is_(None))
    )
    return connection.execute(statement).scalar_one()
