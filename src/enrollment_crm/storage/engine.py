"""Connections and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine


def connect(url: str) -> Engine:
    """An engine for the CRM database. Connections are tested before use: a restarted server is no error."""
    return create_engine(url, pool_pre_ping=True, pool_size=4, max_overflow=4)


@contextmanager
def transaction(engine: Engine, *, dry_run: bool = False) -> Iterator[Connection]:
    """One transaction; a dry run does everything and keeps nothing."""
    with engine.connect() as connection, connection.begin() as begun:
        yield connection
        if dry_run:
            begun.rollback()
