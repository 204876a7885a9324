"""Sweeps: how far reminders have been looked at, and the spans in which nobody looked."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.domain.turns import Outage
from enrollment_crm.storage.models import OutageRow, PersonRow, SweepRow


def zones_of_people(connection: Connection) -> list[str]:
    """The zones that people live by. A loose index scan: its cost grows with the zones, not with the people."""
    first = select(func.min(PersonRow.zone).label("zone")).cte("zones", recursive=True)
    following = select(select(func.min(PersonRow.zone)).where(PersonRow.zone > first.c.zone).scalar_subquery()).where(
        first.c.zone.is_not(None)
    )
    every = first.union_all(following)
    return list(connection.execute(select(every.c.zone).where(every.c.zone.is_not(None))).scalars())


def swept_until(connection: Connection) -> dict[Sweep, datetime]:
    """The instant up to which each sweep has looked at every point; one that has not been yet is absent."""
    statement = select(SweepRow.name, SweepRow.swept_until)
    return {Sweep(name): until for name, until in connection.execute(statement)}


def record_sweeps(connection: Connection, sweeps: Iterable[Sweep], until: datetime) -> None:
    """Remember how far has been swept; it never goes back."""
    rows = [{"name": sweep.value, "swept_until": until} for sweep in sweeps]
    statement = insert_or_update(SweepRow).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[SweepRow.name],
            set_={"swept_until": func.greatest(SweepRow.swept_until, statement.excluded.swept_until)},
        )
    )


def record_outage(connection: Connection, outage: Outage) -> None:
    """Keep a span in which something fell due and nobody looked; the same end twice is once."""
    statement = insert_or_update(OutageRow).values(ended=outage.ended, began=outage.began)
    connection.execute(statement.on_conflict_do_nothing())


def outages_since(connection: Connection, since: datetime) -> list[Outage]:
    """The outages that ended at or after an instant, oldest first."""
    statement = select(OutageRow.began, OutageRow.ended).where(OutageRow.ended >= since).order_by(OutageRow.ended)
    return [Outage(row.began, row.ended) for row in connection.execute(statement)]
