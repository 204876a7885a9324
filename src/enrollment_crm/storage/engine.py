"""Connections and transactions."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, Engine, Transaction, create_engine, text

#: A host that does not answer is reported after this long, not after the minutes that TCP would take.
_CONNECT_TIMEOUT_IN_SECONDS = 5
#: How long something that is rolled back anyway waits for a lock, or for an answer.
_PATIENCE_IN_SECONDS = 2


def connect(url: str) -> Engine:
    """An engine for the CRM database.

    Connections are tested before use: a restarted server is no error. Errors never repeat the parameters of a
    statement: they are people's data.
    """
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=4,
        hide_parameters=True,
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_IN_SECONDS},
    )


@contextmanager
def transaction(engine: Engine, *, dry_run: bool = False) -> Iterator[Connection]:
    """One transaction; a dry run does everything and keeps nothing."""
    with engine.connect() as connection, _begun(connection) as begun:
        yield connection
        if dry_run:
            begun.rollback()


def _begun(connection: Connection) -> Transaction:
    return connection.begin_nested() if connection.in_transaction() else connection.begin()


@contextmanager
def rolled_back(engine: Engine) -> Iterator[Engine]:
    """Stands for the engine; each `transaction` sees what those before it did, and the database keeps nothing of it.

    They are savepoints of one transaction, which gives up rather than wait long for others.
    """
    with engine.connect() as connection, connection.begin() as whole:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE_IN_SECONDS}s'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{_PATIENCE_IN_SECONDS}s'"))
        yield cast("Engine", _OneConnection(connection))
        whole.rollback()


@dataclass(frozen=True)
class _OneConnection:
    """As much of an engine as `transaction` needs."""

    connection: Connection

    def connect(self) -> AbstractContextManager[Connection]:
        return nullcontext(self.connection)


def has_many_connections(engine: Engine) -> bool:
    """Whether several transactions can be open at a time; those of one that is rolled back are on one connection."""
    return not isinstance(engine, _OneConnection)


@contextmanager
def still_view(engine: Engine, *, snapshot: str | None = None) -> Iterator[Connection]:
    """A transaction that sees the database as it was at one instant: its own, or that of another's snapshot.

    For questions of several statements that must fit together, side by side or one after the other.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        if snapshot is not None:
            connection.execute(text("SET TRANSACTION SNAPSHOT " + _quoted(snapshot)))
        yield connection


def snapshot_of(connection: Connection) -> str:
    """A name by which other connections see what this one sees, as long as its transaction lasts."""
    return str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
