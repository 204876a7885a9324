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
    Text,
    and_,
    exists,
    func,
    select,
)
from sqlalchemy import not_ as negated

from enrollment_crm.domain.invitation_impacts import Help, InvitationCase, InvitationImpact
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.claims import not_yet_covered
from enrollment_crm.storage.models import InterestRow, PersonRow, RegistrationRow
from enrollment_crm.storage.relations import Columns, relation, with_memory_to_count
from enrollment_crm.storage.withholding import has_submitted, withheld_reason

_INSTANT = DateTime(timezone=True)


def count_invitations(connection: Connection, cases: Sequence[InvitationCase], *, topic: str) -> list[InvitationImpact]:
    """For each announcement, how many people the change brings an invitation, and takes one from."""
    if not cases:
        return []
    with_memory_to_count(connection)
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
    helped = (
        select(
            zones.c.number,
            reader.c.person_id,
            *(func.min(zones.c[name]).label(name) for name in ("prep_session_id", "session_starts", "offset")),
            *(_is_invited(helps, name) for name in ("before", "after")),
        )
        .select_from(reader)
        .join(zones, and_(zones.c.zone == reader.c.zone, reader.c.since <= zones.c.instant))
        .join(helps, and_(helps.c.number == zones.c.number, *of_cell))
        .where(reader.c.withheld.is_(None), negated(reader.c.submitted))
        .group_by(zones.c.number, reader.c.person_id)
        .having(func.bool_or(helps.c.before != helps.c.after))
        .cte("helped")
        .prefix_with("MATERIALIZED")
    )
    registered = select(1).where(
        RegistrationRow.person_id == helped.c.person_id, RegistrationRow.prep_session_id == helped.c.prep_session_id
    )
    key = {name: helped.c[name] for name in ("prep_session_id", "session_starts", "offset")}
    return select(helped).where(
        negated(exists(registered.correlate_except(RegistrationRow))),
        not_yet_covered(MessageKind.SESSION_INVITATION, helped.c.person_id, **key),
    )


def _people_and_interests(cases: Sequence[InvitationCase], topic: str) -> CTE:
    """One row a person and interest, with what withholds. Materialized, and nothing of it a condition: the planner
    expects next to nobody to be left, and would look everybody up once for each case."""
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
            withheld_reason(MessageKind.SESSION_INVITATION, topic=topic).label("withheld"),
            has_submitted(InterestRow.program, InterestRow.entry_term).label("submitted"),
        )
        .join(InterestRow, InterestRow.person_id == PersonRow.id)
        .join(terms, and_(terms.c.program == InterestRow.program, terms.c.entry_term == InterestRow.entry_term))
        .where(PersonRow.needs_routing.is_(False))
        .cte("reader")
        .prefix_with("MATERIALIZED")
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
