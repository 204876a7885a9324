"""Matching: which people rules take for one. Every question is asked for many people at once."""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from enrollment_crm.domain.identity import MatchField, MatchRecord, MatchRule
from enrollment_crm.storage.models import PersonReferenceRow, PersonRow, ReviewRow
from enrollment_crm.storage.relations import relation

#: What a question about two records is about.
SAME_PERSON = "same_person"
#: What staff answered it.
DECIDED_SAME, DECIDED_DIFFERENT = "same", "different"
#: As in the index of phones, which is made for people who have one: with a parameter in its place it is not used.
_NOTHING = literal_column("''", Text())
#: So few digits are no number of anybody.
_SHORTEST_PHONE = 7

Pair = tuple[int, int]


def people_to_match(connection: Connection, *, after: int, limit: int) -> list[int]:
    """The ids of people of whom something was said that no rule has looked at yet."""
    waiting = select(PersonRow.id).where(PersonRow.needs_routing, PersonRow.id > after, _is_live(PersonRow))
    return list(connection.execute(waiting.order_by(PersonRow.id).limit(limit)).scalars())


def matching_pairs(connection: Connection, rule: MatchRule, ids: Sequence[int]) -> list[Pair]:
    """Pairs of people that fulfil the rule, the lower id first; at least one of each is among ``ids``.

    A reference of a record that was merged into a person is the person's.
    """
    if MatchField.PERSON_REFERENCE in rule.fields:
        return _pairs_by_reference(connection, rule, ids)
    mine, theirs = aliased(PersonRow), aliased(PersonRow)
    same = (_are_same(field, mine, theirs) for field in rule.fields)
    # Looked up for each person by the index of a field that finds (OFFSET 0 keeps the planner from joining by names,
    # which it prefers while it has no statistics of a large import).
    found = select(theirs.id).where(theirs.id != mine.id, *same, _is_live(theirs)).offset(0).lateral("found")
    statement = select(mine.id, found.c.id).join(found, true())
    return _ordered(connection.execute(statement.where(mine.id == func.any(list(ids)))))


def _pairs_by_reference(connection: Connection, rule: MatchRule, ids: Sequence[int]) -> list[Pair]:
    my_name, their_name = aliased(PersonReferenceRow), aliased(PersonReferenceRow)
    record, other = aliased(PersonRow), aliased(PersonRow)
    mine, theirs = aliased(PersonRow), aliased(PersonRow)
    same_name = and_(
        their_name.source == my_name.source,
        their_name.reference == my_name.reference,
        their_name.person_id != my_name.person_id,
    )
    rest = [_are_same(field, mine, theirs) for field in rule.fields if field is not MatchField.PERSON_REFERENCE]
    statement = (
        select(mine.id, theirs.id)
        .select_from(record)
        .join(my_name, my_name.person_id == record.id)
        .join(their_name, same_name)
        .join(other, other.id == their_name.person_id)
        .join(mine, mine.id == func.coalesce(record.merged_into_id, record.id))
        .join(theirs, theirs.id == func.coalesce(other.merged_into_id, other.id))
        .where(
            or_(record.id == func.any(list(ids)), record.merged_into_id == func.any(list(ids))),
            mine.id != theirs.id,
            _is_live(mine),
            _is_live(theirs),
            *rest,
        )
    )
    return _ordered(connection.execute(statement))


def _ordered(pairs: Iterable[Sequence[int]]) -> list[Pair]:
    return sorted({(min(pair), max(pair)) for pair in (tuple(one) for one in pairs)})


def _is_live(person: type[PersonRow]) -> ColumnElement[bool]:
    return and_(person.merged_into_id.is_(None), person.erased_at.is_(None))


def _are_same(field: MatchField, mine: type[PersonRow], theirs: type[PersonRow]) -> ColumnElement[bool]:
    if field is MatchField.PHONE:
        return and_(
            mine.phone != _NOTHING, theirs.phone != _NOTHING, _digits(mine) == _digits(theirs),
            func.length(_digits(mine)) >= _SHORTEST_PHONE,
        )  # fmt: skip
    if field is MatchField.BIRTH_DATE:
        return mine.birth_date == theirs.birth_date
    one, other = (func.lower(getattr(record, field.value)) for record in (mine, theirs))
    return and_(one != "", _start(one) == _start(other), one == other)


def _start(name: ColumnElement[str]) -> ColumnElement[str]:
    """As much of a name as the index has."""
    return func.left(name, literal_column("50", Integer()))


def _digits(person: type[PersonRow]) -> ColumnElement[str]:
    """As in the index: literals and not parameters, or it is not used."""
    pattern = literal_column("'[^0-9]'", Text())
    digits = func.regexp_replace(person.phone, pattern, _NOTHING, literal_column("'g'", Text()))
    return func.right(digits, literal_column("9", Integer()))


def records_to_judge(connection: Connection, ids: Iterable[int]) -> dict[int, MatchRecord]:
    """What these records say that rules look at."""
    person = PersonRow.__table__.c
    statement = select(person.id, person.first_name, person.last_name, person.birth_date)
    found = connection.execute(statement.where(person.id == func.any(sorted(set(ids)))))
    return {row.id: MatchRecord(*row) for row in found}


def decided_different(connection: Connection, pairs: Sequence[Pair]) -> set[Pair]:
    """The pairs of which staff have said that they are not one person."""
    asked = relation("asked", {"one": BigInteger(), "other": BigInteger()}, pairs)
    statement = select(ReviewRow.person_id, ReviewRow.other_person_id).join(
        asked, and_(asked.c.one == ReviewRow.person_id, asked.c.other == ReviewRow.other_person_id)
    )
    decided = statement.where(ReviewRow.about == SAME_PERSON, ReviewRow.decision == DECIDED_DIFFERENT)
    return {(row.person_id, row.other_person_id) for row in connection.execute(decided)}
