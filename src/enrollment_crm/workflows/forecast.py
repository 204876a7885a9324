"""The forecast: what goes out in the time ahead and what would be withheld as things stand, counted for everybody.

Nothing is worked out a second time here: the outlook asks what sweeps ask, and the numbers come from the statements
with which sweeps claim.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.storage.answers import owed_answers
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.forecast import count_by_reason, count_covers, count_messages
from enrollment_crm.storage.notices import owed_session_notices, told_of_moved
from enrollment_crm.storage.overview import count_unrouted, intake_totals
from enrollment_crm.storage.session_reminders import covers_of_session
from enrollment_crm.storage.unfinished import count_unfinished
from enrollment_crm.workflows.holds import Holds, holds_in
from enrollment_crm.workflows.notices import SESSION_NOTICES
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.outlook import LooksAhead, Outlook, outlook

ANSWERS = (MessageKind.WELCOME, MessageKind.APPLICATION_RECEIVED)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is counted by itself: a day and a kind, or a cell. Fields that a count is not divided by are None."""

    kind: str
    #: The day in Boston.
    day: date
    #: The instant (UTC); only where cells are asked for.
    at: datetime | None = None
    zone: str | None = None
    program: str | None = None
    entry_term: str | None = None
    round: str | None = None
    #: The group of people; None also where it makes no difference.
    residency: str | None = None
    stated_date: date | None = None
    offset: str | None = None
    prep_session_id: str | None = None
    catch_up: bool = False


@dataclass
class UnitForecast:
    """What becomes of a unit. By day ``sends`` counts messages, by cell people whose message covers the key.

    ``withheld``: reason -> people from whom a message, or their part of one, is withheld.
    """

    unit: Unit
    sends: int = 0
    withheld: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Forecast:
    """Everything up to an instant, earliest first, if nothing else happens."""

    now: datetime
    until: datetime
    units: tuple[UnitForecast, ...]
    #: People whose route is not decided, and rows that nobody has loaded: what they bring is not in the forecast.
    unrouted: int
    not_loaded: int
    #: Kinds that do not go out before somebody acts; they are counted as if they did.
    held: Holds


@dataclass(frozen=True)
class _Counted:
    unit: Unit
    withheld: str | None
    number: int


def forecast_by_day(outbox: Outbox, *, now: datetime, until: datetime) -> Forecast:
    """Messages by day in Boston and kind; what is owed already counts for today."""

    def count(connection: Connection, ahead: LooksAhead) -> Iterator[_Counted]:
        for one in count_messages(connection, ahead.question):
            yield _Counted(_of_day(one.kind, ahead.looks[one.look].at), one.withheld, one.number)

    return _forecast(outbox, Span(check_aware(now), check_aware(until)), count, _by_day)


def forecast_by_cell(outbox: Outbox, *, now: datetime, until: datetime) -> Forecast:
    """People by program, term, round, residency, zone and offset. One message can cover several cells (R8)."""

    def count(connection: Connection, ahead: LooksAhead) -> Iterator[_Counted]:
        for one in count_covers(connection, ahead.question):
            look, key = ahead.looks[one.look], {name: getattr(one, name) for name in _KEY}
            unit = Unit(day=_day(look.at), at=look.at, zone=look.cell.zone, **key)
            yield _Counted(unit, one.withheld, one.number)

    return _forecast(outbox, Span(check_aware(now), check_aware(until)), count, lambda unit: unit)


_KEY = tuple(one.name for one in fields(Unit) if one.name not in {"day", "at", "zone"})
_CountPeople = Callable[[Connection, LooksAhead], Iterable[_Counted]]


def _forecast(outbox: Outbox, span: Span, count_people: _CountPeople, unit_of: Callable[[Unit], Unit]) -> Forecast:
    with transaction(outbox.engine) as connection:
        ahead = outlook(connection, outbox, span)
        counted = [*_owed(connection, outbox, ahead), *_of_sessions(connection, outbox, ahead)]
        for looks in ahead.people:
            counted += count_people(connection, looks)
        held = holds_in(connection, outbox, span.after)
        intake, unrouted = intake_totals(connection), count_unrouted(connection)
    units = _summed(counted, unit_of)
    return Forecast(span.after, span.until, units, unrouted, intake.pending + intake.not_loaded, held)


def _owed(connection: Connection, outbox: Outbox, ahead: Outlook) -> Iterator[_Counted]:
    """Answers, notices and unfinished messages: due at once, and so now."""
    now = ahead.view.now
    due = [(kind, owed_answers(kind, outbox.topic_of(kind))) for kind in ANSWERS]
    due += [(kind, owed_session_notices(kind, outbox.topic_of(kind), now)) for kind in SESSION_NOTICES]
    for kind, rows in due:
        for reason, number in count_by_reason(connection, rows):
            yield _Counted(Unit(kind=kind.value, day=_day(now), at=now), reason, number)
    topic = outbox.topic_of(MessageKind.DEADLINE_MOVED)
    for moved in ahead.moved:
        unit = Unit(
            kind=MessageKind.DEADLINE_MOVED.value,
            day=_day(now),
            at=now,
            program=moved.program,
            entry_term=moved.entry_term,
            round=moved.round,
            residency=moved.residency,
            stated_date=moved.new_date,
            offset=moved.offset,
        )
        for reason, number in count_by_reason(connection, told_of_moved(moved, topic)):
            yield _Counted(unit, reason, number)
    for kind, number in count_unfinished(connection).items():
        yield _Counted(Unit(kind=kind.value, day=_day(now), at=now), None, number)


def _of_sessions(connection: Connection, outbox: Outbox, ahead: Outlook) -> Iterator[_Counted]:
    kind = MessageKind.SESSION_REMINDER
    topic = outbox.topic_of(kind)
    for at, due in ahead.sessions:
        unit = Unit(kind=kind.value, day=_day(at), at=at, prep_session_id=due.prep_session.id, offset=due.offset)
        for reason, number in count_by_reason(connection, covers_of_session(due, topic)):
            yield _Counted(unit, reason, number)


def _of_day(kind: str, at: datetime) -> Unit:
    return Unit(kind=kind, day=_day(at))


def _by_day(unit: Unit) -> Unit:
    return Unit(kind=unit.kind, day=unit.day)


def _day(at: datetime) -> date:
    return at.astimezone(ZoneInfo(HOME_ZONE)).date()


def _summed(counted: Iterable[_Counted], unit_of: Callable[[Unit], Unit]) -> tuple[UnitForecast, ...]:
    sums: dict[Unit, UnitForecast] = {}
    for one in counted:
        if not one.number:
            continue
        unit = unit_of(one.unit)
        found = sums.setdefault(unit, UnitForecast(unit))
        if one.withheld is None:
            found.sends += one.number
        else:
            found.withheld[one.withheld] = found.withheld.get(one.withheld, 0) + one.number
    return tuple(sorted(sums.values(), key=_in_order))


def _in_order(one: UnitForecast) -> tuple[str, ...]:
    unit = one.unit
    said = (unit.day, unit.at, unit.kind, unit.program, unit.entry_term, unit.round, unit.residency, unit.zone)
    return tuple("" if value is None else str(value) for value in said)
