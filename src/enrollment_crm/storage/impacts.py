"""Impacts: people counted by all that decides what a change of dates does to them, in one statement.

One pass over the people of the rounds that change, and one over their reminders in the ledger: the cost grows with
them, and nothing is done for each person outside the database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from enrollment_crm.domain.impacts import PeopleGroup, RoundKey
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.withholding import WithholdReason
from enrollment_crm.storage.due_points import was_unknown_at
from enrollment_crm.storage.models import CoverRow, InterestRow, PersonRow
from enrollment_crm.storage.relations import Columns, prepare_to_count, relation
from enrollment_crm.storage.withholding import consent_ends_at, withheld_reason

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
    #: When something goes out, in order: whether a pause or the end of a consent is before or after it, counts.
    sending_instants: Sequence[datetime]
    #: The instants, in order, from which on it makes a difference when somebody came or changed something.
    turning_instants: Sequence[datetime]
    #: Topics of the templates of the reminders and of the notices that a date has moved.
    reminder_topic: str = ""
    notice_topic: str = ""

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
    return count_alike(connection, question, _people_in_rounds(question))


def count_alike(
    connection: Connection, question: ImpactQuestion, people: Select[*tuple[Any, ...]]
) -> list[PeopleGroup]:
    """Count the rows together that are alike in everything but how many reminders they had.

    Args:
        people: one row a person and round, as ``row_of`` selects it.
    """
    prepare_to_count(connection)
    # The offset keeps each expression from being worked out once for its group and once more for its value.
    row = people.offset(0).subquery("people_in_rounds")
    sent = [row.c[f"sent_{position}"] for position in range(question.most_dates)]
    alike = [one for one in row.c if one not in sent]
    totals = [func.sum(one).label(one.name) for one in sent]
    statement: Select[*tuple[Any, ...]] = select(*alike, *totals, func.count().label("people")).group_by(
        *alike, *(one > 0 for one in sent)
    )
    return [_group(question, one) for one in connection.execute(statement)]


def row_of(number: ColumnElement[Any], ledger: Subquery, **decides: Any) -> list[Any]:
    """The columns of a person and round: by what people are alike, and how many reminders they had of each date.

    Args:
        number: of the round.
        decides: the columns that are worked out in another way for each kind of message.
    """
    return [
        PersonRow.zone,
        PersonRow.residency,
        number,
        *(one.label(name) for name, one in decides.items()),
        *(one for one in ledger.c if one.name not in ("person_id", "number")),
    ]


def _people_in_rounds(question: ImpactQuestion) -> Select[*tuple[Any, ...]]:
    rounds = rounds_table(question)
    is_it = CoverRow.kind == MessageKind.DEADLINE_REMINDER.value
    ledger = ledger_table(
        question, settled=and_(is_it, not_(CoverRow.released)), sent=and_(is_it, was_sent()), of=is_it
    )
    about = {"program": InterestRow.program, "entry_term": InterestRow.entry_term}
    withheld = withheld_reason(MessageKind.DEADLINE_REMINDER, topic=question.reminder_topic, **about)
    not_told: ColumnElement[Any] = null().cast(Text)
    if question.notice_topic != question.reminder_topic:
        not_told = withheld_reason(MessageKind.DEADLINE_MOVED, topic=question.notice_topic, **about)
    columns = row_of(
        rounds.c.number,
        ledger,
        withheld=withheld,
        not_told=not_told,
        paused_after=_sendings_before(PersonRow.paused_until, question),
        consented_for=_sendings_before(consent_ends_at(), question),
        since=lately(InterestRow.since, question),
        changed_at=lately(InterestRow.changed_at, question),
        unknown_at=unknown_at(question, there=lambda handed: InterestRow.since < handed),
    )
    return (
        select(*columns)
        .select_from(InterestRow)
        .join(rounds, and_(*(rounds.c[name] == getattr(InterestRow, name) for name in _ROUND[:2])))
        .join(PersonRow, PersonRow.id == InterestRow.person_id)
        .outerjoin(ledger, and_(ledger.c.person_id == PersonRow.id, ledger.c.number == rounds.c.number))
        .where(PersonRow.needs_routing.is_(False))
    )


def was_sent() -> ColumnElement[bool]:
    """SQL: the cover went out, or another record of the person had it."""
    sent = or_(CoverRow.message_row_id.is_not(None), CoverRow.withheld == WithholdReason.ALREADY_SENT.value)
    return and_(~CoverRow.released, sent)


def ledger_table(
    question: ImpactQuestion, *, settled: ColumnElement[bool], sent: ColumnElement[bool], of: ColumnElement[bool]
) -> Subquery:
    """One row a person and round: what is settled, when the last reminder went out, how many of each date.

    Args:
        settled: the covers that settle their key; ``sent``: those that were sent.
        of: the covers that are looked at.
    """
    rounds, dates, points = rounds_table(question), _dates(question), _points(question)
    of_date = [dates.c.number == rounds.c.number, dates.c.stated_date == CoverRow.stated_date]
    of_point = [points.c.number == rounds.c.number, points.c.stated_date == CoverRow.stated_date]
    return (
        select(
            CoverRow.person_id,
            rounds.c.number,
            *(func.bit_or(points.c[name]).filter(settled).label(name) for name in _masks(question)),
            _bucket(func.max(CoverRow.recorded_at).filter(sent), question.missed_points).label("newer_than"),
            *(
                func.count().filter(and_(sent, dates.c.position == position)).label(f"sent_{position}")
                for position in range(question.most_dates)
            ),
        )
        .join(rounds, and_(*(rounds.c[name] == getattr(CoverRow, name) for name in _ROUND)))
        .outerjoin(dates, and_(*of_date))
        .outerjoin(points, and_(*of_point, points.c.offset == CoverRow.offset))
        .where(of)
        .group_by(CoverRow.person_id, rounds.c.number)
        .subquery("ledger")
    )


def _bucket(instant: ColumnElement[Any], instants: Sequence[datetime]) -> ColumnElement[Any]:
    """How many of these instants lie at or before another one: all that is asked of it."""
    return func.width_bucket(instant, literal(list(instants), ARRAY(_INSTANT)))


def _sendings_before(instant: Any, question: ImpactQuestion) -> ColumnElement[Any]:
    return _bucket(instant - timedelta(microseconds=1), question.sending_instants)


def lately(instant: Any, question: ImpactQuestion) -> ColumnElement[Any]:
    """SQL: how many of the instants that make a difference lie at or before this one."""
    return _bucket(instant, question.turning_instants)


def unknown_at(
    question: ImpactQuestion, *, there: Callable[[datetime], ColumnElement[bool]] | None = None
) -> ColumnElement[Any]:
    """A letter for each hand-over: ``t`` where the person was of unknown residency then, and there."""
    then = [
        and_(was_unknown_at(literal(handed, _INSTANT)), there(handed) if there else true())
        for handed in question.hand_overs
    ]
    return func.concat("", *(case((one, "t"), else_="f") for one in then))


def rounds_table(question: ImpactQuestion) -> TableValuedAlias:
    """SQL: the rounds that change, by number."""
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
        paused_through=question.sending_instants[row.paused_after - 1] if row.paused_after else None,
        consent_over_from=_at(question.sending_instants, row.consented_for),
        since=question.turning_instants[row.since - 1] if row.since else None,
        changed_at=question.turning_instants[row.changed_at - 1] if row.changed_at else None,
        last_sent=question.missed_points[newer_than - 1] if newer_than else None,
        covered=frozenset(one for n, one in enumerate(points) if masks[n // _BITS] >> n % _BITS & 1),
        sent={one: int(getattr(row, f"sent_{n}") or 0) for n, one in enumerate(question.dates(key))},
        unknown_at=frozenset(
            handed for handed, mark in zip(question.hand_overs, row.unknown_at, strict=True) if mark == "t"
        ),
    )


def _at(instants: Sequence[datetime], position: int | None) -> datetime | None:
    return instants[position] if position is not None and position < len(instants) else None
