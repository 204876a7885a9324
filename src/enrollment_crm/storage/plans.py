"""Plans: by which statements of an import are carried out (ADR 0018)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    import psycopg


@contextmanager
def planned_for_these_rows(connection: Connection) -> Iterator[None]:
    """Until the end of the block every statement is planned for the rows that it brings along.

    A plan that is kept for all values takes an array for ten rows, and the tables for as large as they were when it was
    made. In an import that begins with nobody, it can come to look for each of a thousand people among all. So nothing
    is prepared.

    What PostgreSQL asks by itself to check a foreign key is another matter: it brings one key each time, and planning
    it for each of a hundred thousand rows takes longer than all else. These plans are kept, but none from before.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    threshold, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        connection.execute(text("DISCARD PLANS"))
        yield
    finally:
        driver.prepare_threshold = threshold
