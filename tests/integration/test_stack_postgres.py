"""The embedded PostgreSQL: made, killed, stopped, made again."""

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.members import members_of
from enrollment_crm.stack.postgres import Cluster, embedded_postgres, start_cluster
from enrollment_crm.stack.processes import Supervisor

pytestmark = pytest.mark.postgres


def ask(cluster: Cluster, question: str, *, database: str = "crm", driver: str = "psycopg") -> object:
    engine = create_engine(cluster.url(database, driver=driver))
    try:
        with engine.connect() as connection:
            return connection.execute(text(question)).scalar()
    finally:
        engine.dispose()


def tell(cluster: Cluster, statement: str) -> None:
    engine = create_engine(cluster.url("crm"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_has_the_databases_in_utf_8_and_utc(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path, databases=("crm", "airflow")) as cluster:
        assert ask(cluster, "SHOW timezone") == "UTC"
        assert ask(cluster, "SELECT current_database()", database="airflow", driver="psycopg2") == "airflow"
        encodings = "SELECT string_agg(DISTINCT pg_encoding_to_char(encoding), ',') FROM pg_database"
        assert ask(cluster, encodings) == "UTF8"


def test_listens_on_no_port(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as cluster:
        assert ask(cluster, "SHOW listen_addresses") == ""


def test_keeps_its_data_from_start_to_start(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as cluster:
        tell(cluster, "CREATE TABLE people (id int); INSERT INTO people VALUES (7)")
    with embedded_postgres(tmp_path) as cluster:
        assert ask(cluster, "SELECT id FROM people") == 7


def test_stopped_with_its_supervisor(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as cluster:
        assert cluster.is_running
    assert not cluster.is_running
    assert not (cluster.directory / "postmaster.pid").exists()


@pytest.mark.slow
def test_killed_server_comes_back_with_what_was_committed(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "postgresql")
    with Supervisor(log_directory=tmp_path / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=("crm",))
        tell(cluster, "CREATE TABLE people (id int); INSERT INTO people VALUES (7)")
        first = supervisor.processes["postgresql"]
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: supervisor.processes.get("postgresql") not in (None, first))
        supervisor.wait_until_ready()
        assert ask(cluster, "SELECT id FROM people") == 7
    assert members_of(supervisor.stack_id) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_comes_back_after_a_folder_above_was_closed(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "above") as cluster, Supervisor(log_directory=tmp_path) as second:
        (tmp_path / "above").chmod(0o700)
        other = Cluster(tmp_path / "above" / "second", durable=False)
        start_cluster(other, second, databases=("crm",))
        (tmp_path / "above").chmod(0o700)
        second.restart("postgresql")
        assert ask(other, "SELECT 1") == ask(cluster, "SELECT 1") == 1


@pytest.mark.slow
def test_half_a_data_directory_of_a_killed_start_is_thrown_away(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgresql.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with embedded_postgres(tmp_path) as cluster:
        assert ask(cluster, "SELECT 1") == 1
    assert not unfinished.exists()


def test_path_too_long_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-a-long-name-" * 4) / "another"
    deep.mkdir(parents=True)
    with embedded_postgres(deep) as cluster:
        assert ask(cluster, "SELECT 1") == 1
