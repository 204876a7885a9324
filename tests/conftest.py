"""Fixtures that several kinds of test share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from enrollment_crm.stack.postgres import Cluster, embedded_postgres
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.models import Base
from enrollment_crm.storage.schema import upgrade_schema


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real PostgreSQL of this test run, not durable and gone afterwards."""
    directory: Path = tmp_path_factory.mktemp("postgres")
    with embedded_postgres(directory) as running:
        yield running


#: Deletes what there is and starts all numbers anew. TRUNCATE makes new files for every table and index: forty times
#: as long, and longer than most tests.
EMPTY = f"""
DO $$
DECLARE one text; has_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOREACH one IN ARRAY '{{{",".join(table.name for table in Base.metadata.sorted_tables)}}}'::text[] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one) INTO has_rows;
        IF has_rows THEN EXECUTE format('DELETE FROM %I', one); END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences
        WHERE schemaname = current_schema() AND last_value IS NOT NULL;
END $$
"""


@pytest.fixture(scope="session")
def migrated_engine(cluster: Cluster) -> Iterator[Engine]:
    """The database of the test run, as the migrations make it."""
    engine = connect(cluster.url("crm"))
    upgrade_schema(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(migrated_engine: Engine) -> Engine:
    """The database, emptied: workflows commit, so a test cannot be rolled back."""
    with migrated_engine.begin() as connection:
        connection.execute(text(EMPTY))
    return migrated_engine


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of one file run in one process; those of ``end_to_end`` too, which share one stack."""

    def _split_scope(self, nodeid: str) -> str:
        folder = "tests/end_to_end/"
        return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """How tests are given to workers."""
    return ByFile(config, log)
