"""Forecast: what sweeps will send and withhold, counted by the statements with which they claim it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import CTE, Connection, Select, and_, case, func, literal, select, text

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.cells import DuePeople
from enrollment_crm.storage.checklist_reminders import DueApplicants, covers_of_applicants
from enrollment_crm.storage.reminders import covers_of

_KEY = ("kind", "program", "entry_term", "round", "residency", "stated_date", "offset", "prep_session_id", "catch_up")


#: Settings of a transaction that goes through everybody at once.
_FOR_EVERYBODY = ("join_collapse_limit = 1", "enable_nestloop = off", "work_mem = '128MB'")


@dataclass(frozen=True)
class Counted:
    """A number of messages of one kind, or of people from whom one is withheld for a reason, at one look."""

    look: int
    kind: str
    withheld: str | None
    number: int


@dataclass(frozen=True)
class CountedCover:
    """A number of people with one key at one look: it goes out to them, or is withheld for a reason."""

    look: int
    kind: str
    program: str | None
    entry_term: str | None
    round: str | None
    #: The group of people; None: an invitation, which goes to people of all groups.
    residency: str | None
    stated_date: date | None
    offset: str | None
    prep_session_id: str | None
    catch_up: bool
    withheld: str | None
    number: int


def count_messages(connection: Connection, people: DuePeople | DueApplicants) -> list[Counted]:
    """Messages by look and kind: several keys of one person at one instant are one message (R8)."""
    due = _worked_out_once(connection, people)
    goes_along = and_(due.c.along, due.c.withheld.is_(None))
    kind = case((goes_along, literal(MessageKind.DEADLINE_REMINDER.value)), else_=due.c.kind).label("kind")
    messages = select(due.c.look, kind, due.c.withheld, due.c.person_id).distinct().subquery("messages")
    groups = (messages.c.look, messages.c.kind, messages.c.withheld)
    return [Counted(*row) for row in connection.execute(select(*groups, func.count()).group_by(*groups))]


def count_covers(connection: Connection, people: DuePeople | DueApplicants) -> list[CountedCover]:
    """People by look and key."""
    due = _worked_out_once(connection, people)
    groups = [due.c.look, *(due.c[name] for name in _KEY), due.c.withheld]
    rows = connection.execute(select(*groups, func.count().label("number")).group_by(*groups))
    return [CountedCover(**row._mapping) for row in rows]


def _worked_out_once(connection: Connection, people: DuePeople | DueApplicants) -> CTE:
    """The due rows, each with its reason once: PostgreSQL would write the reason out wherever it is named.

    For the rest of this transaction tables are joined in the order of the statement, people with their interests
    first, and by hashes: the planner knows nothing of the points, and would multiply all interests by the points of
    every zone, or look each person up by itself.
    """
    for setting in _FOR_EVERYBODY:
        connection.execute(text(f"SET LOCAL {setting}"))
    return _due_rows(people).prefix_with("MATERIALIZED")


def _due_rows(people: DuePeople | DueApplicants) -> CTE:
    return covers_of_applicants(people) if isinstance(people, DueApplicants) else covers_of(people)


def count_by_reason(connection: Connection, due: Select[*tuple[Any, ...]]) -> list[tuple[str | None, int]]:
    """How many due rows go out (None), and how many are withheld for each reason."""
    rows = due.order_by(None).subquery("due")
    statement = select(rows.c.withheld, func.count()).group_by(rows.c.withheld)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def rows_of_person(connection: Connection, due: Select[*tuple[Any, ...]], person_id: int) -> Sequence[Any]:
    """The due rows of one person, with every column."""
    rows = due.order_by(None).subquery("due")
    return connection.execute(select(rows).where(rows.c.person_id == person_id)).all()


def covers_ahead(connection: Connection, people: DuePeople | DueApplicants) -> Sequence[Any]:
    """The due rows of the people asked for, with every column, by look."""
    due = _due_rows(people)
    return connection.execute(select(due).order_by(due.c.look, due.c.stated_date, due.c.entry_term)).all()
