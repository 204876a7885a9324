"""Copying: many rows at once into a table, by COPY; the quickest way in that PostgreSQL has."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from sqlalchemy import Column, Connection, FromClause, MetaData, Table
from sqlalchemy.schema import CreateTable

from enrollment_crm.storage.relations import Columns, relation

if TYPE_CHECKING:
    import psycopg

#: Names of columns, and the values of each, all of one length.
Values: TypeAlias = Mapping[str, Sequence[Any]]

#: Of more rows than this a table is made for the length of the transaction; making one costs a few milliseconds.
_MOST_AS_ARRAYS = 200
_LINES_A_BLOCK = 5_000
_SPECIAL = re.compile(r"[\\\t\n\r]")
#: The backslash first: the others are written with it.
_ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
#: Between texts that are escaped together; none that the database takes has it.
_BETWEEN = "\0"
_NUMBERS = count()


def copy_rows(connection: Connection, table: type[Any] | Table, columns: Values) -> None:
    """Append rows to a table, in their order.

    Texts, numbers, yes and no, instants and None. Nothing may stand against a row: COPY knows no ON CONFLICT.
    """
    target = table if isinstance(table, Table) else table.__table__
    if not next(iter(columns.values())):
        return
    preparer = connection.dialect.identifier_preparer
    names = ", ".join(preparer.quote(name) for name in columns)
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    statement = f"COPY {preparer.format_table(target)} ({names}) FROM STDIN"
    lines = zip(*map(_as_texts, columns.values()), strict=True)
    with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for block in _blocks(lines):
            copy.write(block)


def _blocks(lines: Iterator[tuple[str, ...]]) -> Iterator[str]:
    while some := list(islice(lines, _LINES_A_BLOCK)):
        yield "\n".join(map("\t".join, some)) + "\n"


def _as_texts(values: Sequence[Any]) -> Sequence[str]:
    """The values as COPY reads them. A column of plain words, which most are, is left as it is."""
    try:
        together = _BETWEEN.join(values)
    except TypeError:
        pass  # not all of them are texts
    else:
        if not _SPECIAL.search(together):
            return values
        if together.count(_BETWEEN) == len(values) - 1:
            return _escaped(together).split(_BETWEEN)
    known: dict[Any, str] = {}
    return [known[one] if one in known else known.setdefault(one, _as_text(one)) for one in values]


def _as_text(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    return _escaped(str(value))


def _escaped(text: str) -> str:
    for special, escaped in _ESCAPED.items():
        text = text.replace(special, escaped)
    return text


def staged(connection: Connection, name: str, columns: Columns, values: Values) -> FromClause:
    """A relation of these rows for the statements of this transaction: arrays where they are few, else a table."""
    if len(next(iter(values.values()))) <= _MOST_AS_ARRAYS:
        return relation(name, columns, list(zip(*(values[one] for one in columns), strict=True)))
    shape = [Column(one, kind) for one, kind in columns.items()]
    table = Table(
        f"staged_{name}_{next(_NUMBERS)}", MetaData(), *shape, prefixes=["TEMPORARY"], postgresql_on_commit="DROP"
    )
    connection.execute(CreateTable(table))
    copy_rows(connection, table, {one: values[one] for one in columns})
    return table
