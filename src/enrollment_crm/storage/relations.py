"""Relations: rows that a statement brings along, as arrays, so that one statement serves any number of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, TableValuedAlias, cast, column, func, literal, text
from sqlalchemy.types import TypeEngine

#: Names and types of columns.
Columns = Mapping[str, type[TypeEngine[Any]] | TypeEngine[Any]]


def relation(name: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> TableValuedAlias:
    """A table of these rows: ``unnest`` of one array a column.

    Unlike VALUES its text does not depend on the number of rows: it is compiled and planned once.
    """
    arrays = [
        cast(literal([row[position] for row in rows], ARRAY(kind)), ARRAY(kind))
        for position, kind in enumerate(columns.values())
    ]
    shape = [column(one, kind) for one, kind in columns.items()]
    return func.unnest(*arrays).table_valued(*shape).render_derived(name=name)


def prepare_to_count(connection: Connection) -> None:
    """For the rest of this transaction: a million people are counted in memory, by hashing alone.

    Of a dozen conditions and columns the planner expects next to nobody to be left, and as many groups as people: it
    would look everybody up one by one, or sort them all.
    """
    for setting in ("work_mem = '256MB'", "enable_sort = off", "enable_nestloop = off"):
        connection.execute(text(f"SET LOCAL {setting}"))
