"""Identity: which records rules take for one person. Every question is asked for a batch of records at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.orm import aliased

from enrollment_crm.domain.identity import MatchField, MatchRecord, MatchRule
from enrollment_crm.storage.models import PersonReferenceRow, PersonRow, ReviewRow
from enrollment_crm.storage.relations import Columns, relation

#: What a question about two records is about.
SAME_PERSON = "same_person"
#: What staff answered it.
DECIDED_SAME, DECIDED_DIFFERENT = "same", "different"
#: So few digits are no number of anybody.
_SHORTEST_PHONE = 7

Pair = tuple[int, int]


@dataclass(frozen=True)
class NamedRecord:
    """A source calls a record so, by its own clock."""

    source: str
    reference: str
    person_id: int
    said_at: datetime
    received_at: datetime


def remember_references(connection: Connection, named: Iterable[NamedRecord]) -> None:
    """Keep what sources call records. Of two records with one reference the newest is meant; both are kept.

    Whether they are one person, the rules say when people are matched next.
    """
    newest = {(one.source, one.reference, one.person_id): one for one in sorted(named, key=lambda one: one.said_at)}
    if not newest:
        return
    columns: Columns = {
        "source": Text(),
        "reference": Text(),
        "person_id": BigInteger(),
        "said_at": DateTime(timezone=True),
        "received_at": DateTime(timezone=True),
    }
    rows = relation("named", columns, [tuple(vars(one).values()) for one in newest.values()])
    statement = insert_or_update(PersonReferenceRow).from_select(list(columns), select(*rows.c))
    key = [PersonReferenceRow.source, PersonReferenceRow.reference, PersonReferenceRow.person_id]
    later = {"said_at": func.greatest(PersonReferenceRow.said_at, statement.excluded.said_at)}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=later))


def records_of_references(connection: Connection, named: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(source, reference) -> the record that the source means by it now."""
    asked = relation("asked", {"source": Text(), "reference": Text()}, named)
    row = PersonReferenceRow
    statement = (
        select(row.source, row.reference, row.person_id)
        .join(asked, and_(asked.c.source == row.source, asked.c.reference == row.reference))
        .ext(distinct_on(row.source, row.reference))
        .order_by(row.source, row.reference, row.said_at.desc(), row.person_id.desc())
    )
    return {(one.source, one.reference): one.person_id for one in connection.execute(statement)}


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
    statement = select(mine.id, theirs.id).join(theirs, and_(theirs.id != mine.id, *same))
    return _ordered(connection.execute(statement.where(mine.id == func.any(list(ids)), _is_live(theirs))))


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
            mine.phone != "", theirs.phone != "", _digits(mine) == _digits(theirs),
            func.length(_digits(mine)) >= _SHORTEST_PHONE,
        )  # fmt: skip
    if field is MatchField.BIRTH_DATE:
        return mine.birth_date == theirs.birth_date
    one, other = getattr(mine, field.value), getattr(theirs, field.value)
    return and_(one != "", func.lower(one) == func.lower(other))


def _digits(person: type[PersonRow]) -> ColumnElement[str]:
    """As in the index: literals and not parameters, or it is not used."""
    pattern, nothing = literal_column("'[^0-9]'", Text()), literal_column("''", Text())
    digits = func.regexp_replace(person.phone, pattern, nothing, literal_column("'g'", Text()))
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
