"""Impacts: people counted by all that decides what a change of dates does to them, in one statement.

One pass over the people of the rounds that change, and one over their reminders in the ledger: the cost grows with
them, and nothing is done for each person outside the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Integer,
    Row,
    Select,
    Subquery,
    TableValuedAlias,
    Text,
    and_,
    case,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from enrollment_crm.domain.impacts import PeopleGroup, RoundKey
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.models import CoverRow, InterestRow, PersonRow
from enrollment_crm.storage.relations import Columns, prepare_to_count, relation
from enrollment_crm.storage.withholding import withheld_reason

_INSTANT = DateTime(timezone=True)
_ROUND = ("program", "entry_term", "round")
#: As many points as one column of bits holds.
_BITS = 62
#: One point of a round, that a cover may have settled: its date and offset.
RoundPoint = tuple[date, str]


@dataclass(frozen=True)
class ImpactQuestion:
    """What must be known of people to tell what a change of dates does to them."""

    #: The rounds that change, each with all points that could fall due, before or after the change.
    points: dict[RoundKey, Sequence[RoundPoint]]
    #: The instants of points that could be missed, in order: a reminder sent since then is newer (R6).
    missed_points: Sequence[datetime]
    #: The instants at which dates were handed to people of unknown residency (R2).
    hand_overs: Sequence[datetime]
    #: What happened to people before is all the same.
    horizon: datetime
    reminder_topic: str
    notice_topic: str

    def dates(self, key: RoundKey) -> list[date]:
        """The dates of a round, in order."""
        return sorted({stated for stated, _ in self.points[key]})

    @property
    def most_points(self) -> int:
        """How many points the round has that has most."""
        return max([0, *map(len, self.points.values())])

    @property
    def most_dates(self) -> int:
        """How many dates the round has that has most."""
        return max([0, *(len(self.dates(key)) for key in self.points)])


def people_groups(connection: Connection, question: ImpactQuestion) -> list[PeopleGroup]:
    """The routed people of the rounds, alike people counted together."""
    prepare_to_count(connection)
    return [_group(question, row) for row in connection.execute(_statement(question))]


def _statement(question: ImpactQuestion) -> Select[*tuple[Any, ...]]:
    # The offset keeps each expression from being worked out once for its group and once more for its value.
    people = _people_in_rounds(question).offset(0).subquery("people_in_rounds")
    sent = [people.c[f"sent_{position}"] for position in range(question.most_dates)]
    alike = [one for one in people.c if one not in sent]
    totals = [func.sum(one).label(one.name) for one in sent]
    return select(*alike, *totals, func.count().label("people")).group_by(*alike, *(one > 0 for one in sent))


def _people_in_rounds(question: ImpactQuestion) -> Select[*tuple[Any, ...]]:
    """One row a person and round: by what they are alike, and how many reminders they had of each date."""
    rounds, ledger = _rounds(question), _ledger(question)
    about = {"program": InterestRow.program, "entry_term": InterestRow.entry_term}
    withheld = withheld_reason(MessageKind.DEADLINE_REMINDER, topic=question.reminder_topic, **about)
    not_told: ColumnElement[Any] = null().cast(Text)
    if question.notice_topic != question.reminder_topic:
        not_told = withheld_reason(MessageKind.DEADLINE_MOVED, topic=question.notice_topic, **about)
    return (
        select(
            PersonRow.zone,
            PersonRow.residency,
            rounds.c.number,
            withheld.label("withheld"),
            not_told.label("not_told"),
            *(_lately(one, question).label(one.key) for one in (InterestRow.since, InterestRow.changed_at)),
            _unknown_at(question).label("unknown_at"),
            *(one for one in ledger.c if one.name not in ("person_id", "number")),
        )
        .select_from(InterestRow)
        .join(rounds, and_(*(rounds.c[name] == getattr(InterestRow, name) for name in _ROUND[:2])))
        .join(PersonRow, PersonRow.id == InterestRow.person_id)
        .outerjoin(ledger, and_(ledger.c.person_id == PersonRow.id, ledger.c.number == rounds.c.number))
        .where(PersonRow.needs_routing.is_(False))
    )


def _ledger(question: ImpactQuestion) -> Subquery:
    """One row a person and round: what is settled, when the last reminder went out, how many of each date."""
    rounds, dates, points = _rounds(question), _dates(question), _points(question)
    sent = or_(CoverRow.message_row_id.is_not(None), CoverRow.withheld == WithholdReason.ALREADY_SENT.value)
    of_date = [dates.c.number == rounds.c.number, dates.c.stated_date == CoverRow.stated_date]
    of_point = [points.c.number == rounds.c.number, points.c.stated_date == CoverRow.stated_date]
    return (
        select(
            CoverRow.person_id,
            rounds.c.number,
            *(func.bit_or(points.c[name]).filter(not_(CoverRow.released)).label(name) for name in _masks(question)),
            _newer_than(func.max(CoverRow.recorded_at).filter(sent), question).label("newer_than"),
            *(
                func.count().filter(and_(sent, dates.c.position == position)).label(f"sent_{position}")
                for position in range(question.most_dates)
            ),
        )
        .join(rounds, and_(*(rounds.c[name] == getattr(CoverRow, name) for name in _ROUND)))
        .outerjoin(dates, and_(*of_date))
        .outerjoin(points, and_(*of_point, points.c.offset == CoverRow.offset))
        .where(CoverRow.kind == MessageKind.DEADLINE_REMINDER.value)
        .group_by(CoverRow.person_id, rounds.c.number)
        .subquery("ledger")
    )


def _newer_than(instant: ColumnElement[Any], question: ImpactQuestion) -> ColumnElement[Any]:
    """How many of the points that could be missed lie at or before an instant: all that R6 asks of it."""
    return func.width_bucket(instant, literal(list(question.missed_points), ARRAY(_INSTANT)))


def _lately(instant: Any, question: ImpactQuestion) -> ColumnElement[Any]:
    return case((instant >= question.horizon, instant), else_=null().cast(_INSTANT))


def _unknown_at(question: ImpactQuestion) -> ColumnElement[Any]:
    """A letter for each hand-over: ``t`` where the person was of unknown residency then, and there."""
    forever = literal("infinity").cast(_INSTANT)
    then = [
        and_(
            func.coalesce(PersonRow.unknown_from, forever) < handed,
            func.coalesce(PersonRow.unknown_until, forever) >= handed,
            InterestRow.since < handed,
        )
        for handed in question.hand_overs
    ]
    return func.concat("", *(case((one, "t"), else_="f") for one in then))


def _rounds(question: ImpactQuestion) -> TableValuedAlias:
    rows = [(*key, number) for number, key in enumerate(question.points)]
    return relation("touched", {**dict.fromkeys(_ROUND, Text), "number": Integer}, rows)


def _dates(question: ImpactQuestion) -> TableValuedAlias:
    rows = [
        (number, one, position)
        for number, key in enumerate(question.points)
        for position, one in enumerate(question.dates(key))
    ]
    return relation("stated", {"number": Integer, "stated_date": Date, "position": Integer}, rows)


def _points(question: ImpactQuestion) -> TableValuedAlias:
    names = _masks(question)
    rows = [
        (number, stated, offset, *(1 << position % _BITS if position // _BITS == n else 0 for n in range(len(names))))
        for number, points in enumerate(question.points.values())
        for position, (stated, offset) in enumerate(points)
    ]
    columns: Columns = {"number": Integer, "stated_date": Date, "offset": Text, **dict.fromkeys(names, BigInteger)}
    return relation("point", columns, rows)


def _masks(question: ImpactQuestion) -> list[str]:
    return [f"settled_{number}" for number in range(1 + question.most_points // _BITS)]


def _group(question: ImpactQuestion, row: Row[Any]) -> PeopleGroup:
    key = list(question.points)[row.number]
    points, newer_than = question.points[key], row.newer_than or 0
    masks = [getattr(row, name) or 0 for name in _masks(question)]
    return PeopleGroup(
        zone=row.zone,
        residency=row.residency,
        round=key,
        people=row.people,
        withheld=row.withheld,
        not_told=bool(row.withheld if question.notice_topic == question.reminder_topic else row.not_told),
        since=row.since,
        changed_at=row.changed_at,
        last_sent=question.missed_points[newer_than - 1] if newer_than else None,
        covered=frozenset(one for n, one in enumerate(points) if masks[n // _BITS] >> n % _BITS & 1),
        sent={one: int(getattr(row, f"sent_{n}") or 0) for n, one in enumerate(question.dates(key))},
        unknown_at=frozenset(
            handed for handed, mark in zip(question.hand_overs, row.unknown_at, strict=True) if mark == "t"
        ),
    )
