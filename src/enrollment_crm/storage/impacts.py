"""Impacts: people counted by all that decides what a change of dates does to them, in one statement.

One pass over the people of the rounds that change, and one over their reminders in the ledger: the cost grows with
them, and nothing is done for each person outside the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnClause,
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
    cast,
    column,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT

from enrollment_crm.domain.impacts import PeopleGroup, RoundKey
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.arrays import table_of
from enrollment_crm.storage.models import CoverRow, InterestRow, PersonRow
from enrollment_crm.storage.withholding import withheld_reason

_INSTANT = DateTime(timezone=True)
_ROUND = ("program", "entry_term", "round")
_STATED_DATE = column("stated_date", Date())
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
        """How many points the round has that has most; at least one, as bit strings cannot be empty."""
        return max([1, *map(len, self.points.values())])

    @property
    def most_dates(self) -> int:
        """How many dates the round has that has most."""
        return max([0, *(len(self.dates(key)) for key in self.points)])


def people_groups(connection: Connection, question: ImpactQuestion) -> list[PeopleGroup]:
    """The routed people of the rounds, alike people counted together."""
    return [_group(question, row) for row in connection.execute(_statement(question))]


def _statement(question: ImpactQuestion) -> Select[*tuple[Any, ...]]:
    people = _people_in_rounds(question).subquery("people_in_rounds")
    sent = [people.c[f"sent_{position}"] for position in range(question.most_dates)]
    alike = [one for one in people.c if one not in sent]
    return select(*alike, *(func.sum(one).label(one.name) for one in sent), func.count().label("people")).group_by(
        *alike, *(one > 0 for one in sent)
    )


def _people_in_rounds(question: ImpactQuestion) -> Select[*tuple[Any, ...]]:
    """One row a person and round: by what they are alike, and how many reminders they had of each date."""
    rounds, ledger = _rounds(question), _ledger(question)
    about = {"program": InterestRow.program, "entry_term": InterestRow.entry_term}
    withheld = withheld_reason(MessageKind.DEADLINE_REMINDER, topic=question.reminder_topic, **about)
    not_told = withheld
    if question.notice_topic != question.reminder_topic:
        not_told = withheld_reason(MessageKind.DEADLINE_MOVED, topic=question.notice_topic, **about)
    return (
        select(
            PersonRow.zone,
            PersonRow.residency,
            *(rounds.c[name] for name in _ROUND),
            withheld.label("withheld"),
            not_told.is_not(None).label("not_told"),
            *(_lately(one, question).label(one.key) for one in (InterestRow.since, InterestRow.changed_at)),
            _unknown_at(question).label("unknown_at"),
            *(one for one in ledger.c if one.name not in ("person_id", *_ROUND)),
        )
        .select_from(InterestRow)
        .join(rounds, and_(*(rounds.c[name] == getattr(InterestRow, name) for name in _ROUND[:2])))
        .join(PersonRow, PersonRow.id == InterestRow.person_id)
        .outerjoin(
            ledger, and_(ledger.c.person_id == PersonRow.id, *(ledger.c[name] == rounds.c[name] for name in _ROUND))
        )
        .where(PersonRow.needs_routing.is_(False))
    )


def _ledger(question: ImpactQuestion) -> Subquery:
    """One row a person and round: what is settled, when the last reminder went out, how many of each date."""
    rounds, dates, points = _rounds(question), _dates(question), _points(question)
    sent = or_(CoverRow.message_row_id.is_not(None), CoverRow.withheld == WithholdReason.ALREADY_SENT.value)
    of_round = [CoverRow.program, CoverRow.entry_term, CoverRow.round]
    settled = cast(points.c.mask, BIT(question.most_points))
    return (
        select(
            CoverRow.person_id,
            *of_round,
            cast(func.bit_or(settled).filter(not_(CoverRow.released)), Text).label("covered"),
            _newer_than(func.max(CoverRow.recorded_at).filter(sent), question).label("newer_than"),
            *(
                func.count().filter(and_(sent, dates.c.position == position)).label(f"sent_{position}")
                for position in range(question.most_dates)
            ),
        )
        .join(rounds, and_(*(rounds.c[name] == getattr(CoverRow, name) for name in _ROUND)))
        .outerjoin(dates, _same(dates, "stated_date"))
        .outerjoin(points, _same(points, "stated_date", "offset"))
        .where(CoverRow.kind == MessageKind.DEADLINE_REMINDER.value)
        .group_by(CoverRow.person_id, *of_round)
        .subquery("ledger")
    )


def _same(table: TableValuedAlias, *names: str) -> ColumnElement[bool]:
    return and_(*(table.c[name] == getattr(CoverRow, name) for name in (*_ROUND, *names)))


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
    return table_of("touched", [_text(name) for name in _ROUND], list(question.points))


def _dates(question: ImpactQuestion) -> TableValuedAlias:
    rows = [(*key, one, position) for key in question.points for position, one in enumerate(question.dates(key))]
    columns: list[ColumnClause[Any]] = [
        *map(_text, _ROUND),
        column("stated_date", Date()),
        column("position", Integer()),
    ]
    return table_of("stated", columns, rows)


def _points(question: ImpactQuestion) -> TableValuedAlias:
    width = question.most_points
    rows = [
        (*key, stated, offset, "0" * position + "1" + "0" * (width - position - 1))
        for key, points in question.points.items()
        for position, (stated, offset) in enumerate(points)
    ]
    columns: list[ColumnClause[Any]] = [
        *map(_text, _ROUND),
        column("stated_date", Date()),
        _text("offset"),
        _text("mask"),
    ]
    return table_of("point", columns, rows)


def _text(name: str) -> ColumnClause[str]:
    return column(name, Text())


def _group(question: ImpactQuestion, row: Row[Any]) -> PeopleGroup:
    key: RoundKey = (row.program, row.entry_term, row.round)
    points, covered, newer_than = question.points[key], row.covered or "", row.newer_than or 0
    return PeopleGroup(
        zone=row.zone,
        residency=row.residency,
        round=key,
        people=row.people,
        withheld=row.withheld,
        not_told=row.not_told,
        since=row.since,
        changed_at=row.changed_at,
        last_sent=question.missed_points[newer_than - 1] if newer_than else None,
        covered=frozenset(point for point, mark in zip(points, covered, strict=False) if mark == "1"),
        sent={one: getattr(row, f"sent_{n}") or 0 for n, one in enumerate(question.dates(key))},
        unknown_at=frozenset(
            handed for handed, mark in zip(question.hand_overs, row.unknown_at, strict=True) if mark == "t"
        ),
    )
