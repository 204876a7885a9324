"""Arrays: many rows handed to a statement as one parameter a column."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnClause, TableValuedAlias, func, literal
from sqlalchemy.dialects.postgresql import ARRAY


def table_of(name: str, columns: Sequence[ColumnClause[Any]], rows: Sequence[tuple[Any, ...]]) -> TableValuedAlias:
    """A table of the statement's own. PostgreSQL takes 65,535 parameters; VALUES would need one a field."""
    arrays = [literal([row[position] for row in rows], ARRAY(one.type)) for position, one in enumerate(columns)]
    return func.unnest(*arrays).table_valued(*columns, name=name).render_derived()
