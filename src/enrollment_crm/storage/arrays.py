"""Arrays: many rows handed to a statement as one parameter a column."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnClause, Connection, TableValuedAlias, func, literal, text
from sqlalchemy.dialects.postgresql import ARRAY


def table_of(name: str, columns: Sequence[ColumnClause[Any]], rows: Sequence[tuple[Any, ...]]) -> TableValuedAlias:
    """A table of the statement's own. PostgreSQL takes 65,535 parameters; VALUES would need one a field."""
    arrays = [literal([row[position] for row in rows], ARRAY(one.type)) for position, one in enumerate(columns)]
    return func.unnest(*arrays).table_valued(*columns).render_derived(name=name)


def prepare_to_count(connection: Connection) -> None:
    """For the rest of this transaction: a million people are counted in memory, by hashing alone.

    Of a dozen conditions and columns the planner expects next to nobody to be left, and as many groups as people: it
    would look everybody up one by one, or sort them all.
    """
    for setting in ("work_mem = '256MB'", "enable_sort = off", "enable_nestloop = off"):
        connection.execute(text(f"SET LOCAL {setting}"))
