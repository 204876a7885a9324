"""Turns: the cells of people to whom something changed lately (R6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, DateTime, Select, and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from enrollment_crm.domain.turns import LONGEST_WAIT, PersonalTurn
from enrollment_crm.storage.models import InterestRow, PersonRow

_CELL = (PersonRow.zone, PersonRow.residency, InterestRow.program, InterestRow.entry_term)


@dataclass(frozen=True)
class TurnQuestion:
    """The turns in ``(after, until]``; of zones whose morning it is also those of the night before.

    The night's are looked for only where their hour has come: after a great import a look at each would be dear.
    """

    after: datetime
    until: datetime
    waking_zones: Sequence[str]


def personal_turns(connection: Connection, question: TurnQuestion, *, most: int) -> list[PersonalTurn] | None:
    """The turns, one a cell and instant; None: they are more than ``most``."""
    statement = _lately(question, InterestRow.changed_at).distinct().limit(most + 1)
    rows = connection.execute(statement).all()
    if len(rows) > most:
        return None
    return [PersonalTurn(row.changed_at, row.zone, row.residency, row.program, str(row.entry_term)) for row in rows]


def stretches_of_turns(
    connection: Connection, question: TurnQuestion, *, edges: Sequence[datetime]
) -> list[PersonalTurn]:
    """The turns, those of one cell between two edges put together."""
    instant = InterestRow.changed_at
    stretch = func.width_bucket(instant, literal(list(edges), ARRAY(DateTime(timezone=True))))
    first, last = func.min(instant).label("first"), func.max(instant).label("last")
    statement = _lately(question, first, last).group_by(*_CELL, stretch).order_by(last)
    return [
        PersonalTurn(row.last, row.zone, row.residency, row.program, str(row.entry_term), began=row.first)
        for row in connection.execute(statement)
    ]


def _lately(question: TurnQuestion, *columns: Any) -> Select[*tuple[Any, ...]]:
    after, waking_zones = question.after, question.waking_zones
    lately: ColumnElement[bool] = InterestRow.changed_at > after
    if waking_zones:
        at_night = and_(InterestRow.changed_at > after - LONGEST_WAIT, PersonRow.zone.in_(waking_zones))
        lately = or_(lately, at_night)
    return (
        select(*columns, *_CELL)
        .select_from(InterestRow)
        .join(PersonRow, PersonRow.id == InterestRow.person_id)
        .where(lately, InterestRow.changed_at <= question.until, InterestRow.entry_term.is_not(None))
        .where(PersonRow.needs_routing.is_(False))
    )
