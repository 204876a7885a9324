"""Invitations before and after a change: the people counted who will hear of a session, or not any more (R10)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Text,
    and_,
    column,
    exists,
    func,
    select,
)
from sqlalchemy import not_ as negated

from enrollment_crm.domain.invitation_impacts import Help, InvitationCase, InvitationImpact
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.arrays import table_of
from enrollment_crm.storage.claims import not_yet_covered
from enrollment_crm.storage.models import InterestRow, PersonRow, RegistrationRow
from enrollment_crm.storage.withholding import has_submitted, withheld_reason

_INSTANT = DateTime(timezone=True)


def count_invitations(connection: Connection, cases: Sequence[InvitationCase], *, topic: str) -> list[InvitationImpact]:
    """For each announcement, how many people the change brings an invitation, and takes one from."""
    if not cases:
        return []
    reader = _readers(cases, topic).subquery("reader")
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


def _readers(cases: Sequence[InvitationCase], topic: str) -> Any:
    """One row a case and person who may be invited: whether they are, before and after."""
    zones, helps = _zones(cases), _helps(cases)
    key: dict[str, Any] = {
        "prep_session_id": zones.c.prep_session_id,
        "session_starts": zones.c.session_starts,
        "offset": zones.c.offset,
    }
    registered = select(1).where(
        RegistrationRow.person_id == PersonRow.id, RegistrationRow.prep_session_id == zones.c.prep_session_id
    )
    return (
        select(zones.c.number, PersonRow.id, *(_is_invited(helps, name) for name in ("before", "after")))
        .select_from(PersonRow)
        .join(zones, zones.c.zone == PersonRow.zone)
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .join(
            helps,
            and_(
                helps.c.number == zones.c.number,
                helps.c.program == InterestRow.program,
                helps.c.entry_term == InterestRow.entry_term,
                helps.c.residency == PersonRow.residency,
            ),
        )
        .where(
            PersonRow.needs_routing.is_(False),
            InterestRow.since <= zones.c.instant,
            negated(has_submitted(InterestRow.program, InterestRow.entry_term)),
            withheld_reason(MessageKind.SESSION_INVITATION, topic=topic).is_(None),
            negated(exists(registered.correlate_except(RegistrationRow))),
            not_yet_covered(MessageKind.SESSION_INVITATION, PersonRow.id, **key),
        )
        .group_by(zones.c.number, PersonRow.id)
        .having(func.bool_or(helps.c.before != helps.c.after))
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
    columns: list[ColumnClause[Any]] = [
        column("number", Integer()),
        column("zone", Text()),
        column("instant", _INSTANT),
        column("prep_session_id", Text()),
        column("session_starts", _INSTANT),
        column("offset", Text()),
    ]
    return table_of("invited_zone", columns, rows)


def _helps(cases: Sequence[InvitationCase]) -> Any:
    rows = [
        (number, *cell, before.value, after.value)
        for number, case in enumerate(cases)
        for cell, (before, after) in case.helps.items()
    ]
    names = ("program", "entry_term", "residency", "before", "after")
    columns: list[ColumnClause[Any]] = [column("number", Integer()), *(column(name, Text()) for name in names)]
    return table_of("help", columns, rows)


def count_told(connection: Connection, prep_session_id: str, kind: MessageKind, *, topic: str) -> int:
    """How many of those who are registered for a session can be told of its change."""
    statement = (
        select(func.count())
        .select_from(RegistrationRow)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .where(RegistrationRow.prep_session_id == prep_session_id, withheld_reason(kind, topic=topic).is_(None))
    )
    return connection.execute(statement).scalar_one()
