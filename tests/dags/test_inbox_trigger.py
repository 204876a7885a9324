"""The inbox trigger on a real database that is restarted, cut off and frozen: nothing committed is missed."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name

import pytest
from sqlalchemy import Engine, text
from tests.dags.watched_triggers import Watched, watched
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.inbox import keep_raw_rows
from enrollment_crm.storage.schema import upgrade_schema

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
#: With the trigger's own pause of a second and a busy machine; in a quiet one it is a second or two.
RECOVERED_WITHIN_IN_SECONDS = 20
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%inbox WHERE kind%'"


@dataclass
class Database:
    """A durable PostgreSQL of its own."""

    cluster: Cluster
    supervisor: Supervisor
    engine: Engine

    def add(self, *names: str, kind: str = "signup") -> None:
        rows = [{"email": name} for name in names]
        with transaction(self.engine) as connection:
            keep_raw_rows(connection, rows, source="form", kind=kind, received_at=NOW)

    def run(self, statement: str) -> list[int]:
        with transaction(self.engine) as connection:
            result = connection.execute(text(statement))
            return list(result.scalars()) if result.returns_rows else []

    def listener(self) -> int:
        """Process id of the server's end of the trigger's connection."""
        found = eventually(lambda: self.run(LISTENERS) != [])
        assert found
        (pid,) = self.run(LISTENERS)
        return pid


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    directory: Path = tmp_path_factory.mktemp("watched")
    cluster = Cluster(directory / "postgresql")
    with Supervisor(log_directory=directory / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=("crm",))
        engine = connect(cluster.url("crm"))
        upgrade_schema(engine)
        yield Database(cluster, supervisor, engine)
        engine.dispose()


@pytest.fixture
def database(running: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database, its inbox emptied; the trigger finds it in the environment, as in the triggerer."""
    monkeypatch.setenv("CRM_DATABASE_URL", running.cluster.url("crm"))
    running.run("TRUNCATE inbox CASCADE")
    return running


def inbox_trigger(kind: str = "signup") -> AbstractContextManager[Watched]:
    from enrollment_crm.orchestration.inbox_trigger import InboxTrigger

    return watched(InboxTrigger(kind))


def test_a_row_wakes_within_a_second(database: Database) -> None:
    with inbox_trigger() as seen:
        database.listener()
        for number in range(3):
            database.add(f"{number}")
            payload, seconds = seen.next_event(within_in_seconds=10)
            assert payload == {"kind": "signup", "rows": number + 1}
            assert seconds < 1


def test_rows_of_one_commit_are_one_event(database: Database) -> None:
    with inbox_trigger() as seen:
        database.listener()
        database.add("ana", "ben")
        assert seen.next_event(within_in_seconds=10)[0] == {"kind": "signup", "rows": 2}
        assert seen.is_silent(for_seconds=3)


def test_a_row_that_nobody_told_of_is_seen_at_the_next_look(database: Database) -> None:
    with inbox_trigger() as seen:
        database.listener()
        database.run(
            "INSERT INTO inbox (source, kind, received_at, raw, digest) VALUES ('form', 'signup', now(), '{}', 'd')"
        )
        assert seen.next_event(within_in_seconds=10)[0]["rows"] == 1


def test_rows_that_wait_already_are_told_and_other_kinds_are_not(database: Database) -> None:
    database.add("ana")
    with inbox_trigger("application") as other, inbox_trigger() as seen:
        assert seen.next_event(within_in_seconds=10)[0]["rows"] == 1
        database.add("item", kind="checklist")
        assert other.is_silent(for_seconds=2)


def test_rows_that_still_wait_are_told_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from enrollment_crm.orchestration import inbox_trigger as module

    monkeypatch.setattr(module, "_REMIND_AFTER_IN_SECONDS", 1.0)
    database.add("ana")
    with inbox_trigger() as seen:
        assert [seen.next_event(within_in_seconds=10)[0]["rows"] for _ in range(3)] == [1, 1, 1]


def test_it_listens_again_after_its_connection_was_ended(database: Database) -> None:
    with inbox_trigger() as seen:
        first = database.listener()
        database.run(f"SELECT pg_terminate_backend({first})")
        database.add("ana")
        assert seen.next_event(within_in_seconds=RECOVERED_WITHIN_IN_SECONDS)[0]["rows"] == 1
        assert database.listener() != first
        database.add("ben")
        payload, seconds = seen.next_event(within_in_seconds=10)
        assert (payload["rows"], seconds < 1) == (2, True)


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_what_was_committed_before_it_is_back_is_told(database: Database, how: str) -> None:
    with inbox_trigger() as seen:
        database.listener()
        server = database.supervisor.processes["postgresql"]
        if how == "killed":
            os.kill(server, signal.SIGKILL)
            assert eventually(lambda: database.supervisor.processes.get("postgresql") not in (None, server))
            database.supervisor.wait_until_ready()
        else:
            database.supervisor.restart("postgresql")
        database.add("ana")
        assert seen.next_event(within_in_seconds=RECOVERED_WITHIN_IN_SECONDS)[0]["rows"] == 1
        database.listener()
        database.add("ben")
        payload, seconds = seen.next_event(within_in_seconds=10)
        assert (payload["rows"], seconds < 1) == (2, True)


def test_a_server_that_hangs_is_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from enrollment_crm.storage import inbox_watch

    monkeypatch.setattr(inbox_watch, "_ANSWER_WITHIN_IN_SECONDS", 1.0)
    with inbox_trigger() as seen:
        frozen = database.listener()
        os.kill(frozen, signal.SIGSTOP)
        try:
            database.add("ana")
            assert seen.next_event(within_in_seconds=RECOVERED_WITHIN_IN_SECONDS)[0]["rows"] == 1
        finally:
            os.kill(frozen, signal.SIGCONT)


def test_tables_that_are_not_there_yet_are_awaited(database: Database) -> None:
    database.run("ALTER TABLE inbox RENAME TO inbox_elsewhere")
    try:
        with inbox_trigger() as seen:
            assert seen.is_silent(for_seconds=2)
            database.run("ALTER TABLE inbox_elsewhere RENAME TO inbox")
            database.add("ana")
            assert seen.next_event(within_in_seconds=RECOVERED_WITHIN_IN_SECONDS)[0]["rows"] == 1
    finally:
        database.run("ALTER TABLE IF EXISTS inbox_elsewhere RENAME TO inbox")


def test_airflow_can_make_it_again(database: Database) -> None:
    from enrollment_crm.orchestration.assets import INBOX_APPLICATIONS, INBOX_SIGNUPS

    triggers = [watcher.trigger for asset in (INBOX_SIGNUPS, INBOX_APPLICATIONS) for watcher in asset.watchers]
    assert len({repr(one.serialize()) for one in triggers}) == len(triggers) == 6
    for trigger in triggers:
        path, arguments = trigger.serialize()
        assert resolve_name(path)(**arguments).serialize() == (path, arguments)
