"""Fixtures that several kinds of test share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from enrollment_crm.stack.postgres import Cluster, embedded_postgres
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.models import Base
from enrollment_crm.storage.schema import upgrade_schema


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers share the files; everything that starts a whole stack goes to one of them, one after the other."""
    for item in items:
        group = "stack" if item.get_closest_marker("stack") else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real PostgreSQL of this test run, not durable and gone afterwards."""
    directory: Path = tmp_path_factory.mktemp("postgres")
    with embedded_postgres(directory) as running:
        yield running


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
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with migrated_engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return migrated_engine
