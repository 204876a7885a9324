"""Turns: the cells of people to whom something changed lately (R6)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from enrollment_crm.domain.turns import LONGEST_WAIT, PersonalTurn
from enrollment_crm.storage.models import InterestRow, PersonRow


def personal_turns(
    connection: Connection, *, after: datetime, until: datetime, waking_zones: Sequence[str]
) -> list[PersonalTurn]:
    """The turns in ``(after, until]``, one a cell and instant; of zones whose morning it is also those of the night.

    The night's are looked for only where their hour has come: after a great import a look at each would be dear.
    """
    lately: ColumnElement[bool] = InterestRow.changed_at > after
    if waking_zones:
        at_night = and_(InterestRow.changed_at > after - LONGEST_WAIT, PersonRow.zone.in_(waking_zones))
        lately = or_(lately, at_night)
    statement = (
        select(InterestRow.changed_at, PersonRow.zone, PersonRow.residency, InterestRow.program, InterestRow.entry_term)
        .join(PersonRow, PersonRow.id == InterestRow.person_id)
        .where(lately, InterestRow.changed_at <= until, InterestRow.entry_term.is_not(None))
        .where(PersonRow.needs_routing.is_(False))
        .distinct()
    )
    return [
        PersonalTurn(row.changed_at, row.zone, row.residency, row.program, str(row.entry_term))
        for row in connection.execute(statement)
    ]
