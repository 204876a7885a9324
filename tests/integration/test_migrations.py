"""Migrations: dated to the minute, linear, and their result is what the models say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, make_url, select, text

from enrollment_crm.settings import CHECKOUT
from enrollment_crm.stack.postgres import Cluster
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.models import Base, MessageRow
from enrollment_crm.storage.schema import current_revision, newest_revision, upgrade_schema

MIGRATIONS = CHECKOUT / "src" / "enrollment_crm" / "storage" / "migrations"
FILE_NAME = re.compile(r"\d{4}_\d{2}_\d{2}_\d{4}_[a-z][a-z_]*\.py")


@pytest.fixture(scope="module")
def history() -> list[Path]:
    """The files of the migrations, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) == 1, "two heads: make one migration follow the other"
    return [Path(one.path) for one in reversed(list(scripts.walk_revisions()))]


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Engine]:
    """A database in which nothing has happened yet."""
    server = connect(cluster.url("crm"))
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE empty_one"))
    engine = connect(make_url(cluster.url("crm")).set(database="empty_one").render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE empty_one"))
    server.dispose()


def test_the_order_of_the_files_is_the_history(history: list[Path]) -> None:
    assert history
    assert history == sorted(history)
    assert {one.name for one in history} == {one.name for one in (MIGRATIONS / "versions").glob("*.py")}


def test_a_file_is_named_after_its_minute_and_what_it_does(history: list[Path]) -> None:
    for file in history:
        assert FILE_NAME.fullmatch(file.name)
        title = ast.get_docstring(ast.parse(file.read_text("utf-8")))
        assert file.stem[len("2026_11_22_0900_") :] == (title or "").lower().replace(" ", "_")


def test_an_upgrade_from_empty_gives_what_the_models_say(empty_database: Engine) -> None:
    with empty_database.connect() as connection:
        assert current_revision(connection) is None
    assert upgrade_schema(empty_database) == newest_revision()
    with empty_database.connect() as connection:
        assert current_revision(connection) == newest_revision()
        assert inspect(connection).get_table_names()
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(migrated_engine: Engine) -> None:
    assert upgrade_schema(migrated_engine) == newest_revision()


SOMEBODY = "INSERT INTO person (email, email_key, zone, arrived_at) VALUES ('a', 'a', 'UTC', now())"
FROZEN = """
    INSERT INTO message (id, person_id, kind, due_at, state, claimed_at, content)
    SELECT n, (SELECT id FROM person), 'welcome', now(), 'accepted', now(),
           CASE WHEN n % 100 > 0 THEN convert_to('Subject: ' || n, 'UTF8') END
    FROM generate_series(1, 1001) AS n
"""


def test_messages_that_were_frozen_before_the_upgrade_are_kept_byte_for_byte(empty_database: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with empty_database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "f2c86b1d90e4")
        connection.execute(text(SOMEBODY))
        connection.execute(text(FROZEN))
        command.upgrade(config, "a3d7e05b92c4")
        kept = dict(connection.execute(select(MessageRow.id, MessageRow.content)).all())
        assert kept == {n: f"Subject: {n}".encode() if n % 100 else None for n in range(1, 1002)}
        # A worker of the release before that ended later has stored one as it was.
        connection.execute(text("UPDATE message SET content = 'Subject: late' WHERE id = 1"))
        command.downgrade(config, "f2c86b1d90e4")
        contents = connection.execute(text("SELECT content FROM message WHERE id IN (1, 1001) ORDER BY id")).scalars()
        assert [bytes(one) for one in contents] == [b"Subject: late", b"Subject: 1001"]


WAITING = """
    INSERT INTO message (id, person_id, kind, due_at, state, claimed_at, outcome)
    SELECT n, (SELECT id FROM person), 'welcome', now(), 'retry', now(), said
    FROM (VALUES (1, 'its worker vanished while transmitting'), (2, 'over the limit'), (3, 'greylisted')) AS w (n, said)
"""
EVENTS = """
    INSERT INTO message_event (message_row_id, kind, at, detail) VALUES
    (1, 'retry', now(), 'its worker vanished while transmitting'),
    (2, 'retry', now(), 'its worker vanished while transmitting'),
    (2, 'retry', now(), 'over the limit'),
    (3, 'retry', now(), 'greylisted')
"""


def test_whatever_may_have_left_before_the_upgrade_is_asked_about(empty_database: Engine) -> None:
    """Also where something else was said of it since."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with empty_database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "a64f0d27c9b1")
        for statement in (SOMEBODY, WAITING, EVENTS):
            connection.execute(text(statement))
        command.upgrade(config, "3c7d0be94a16")
        flagged = connection.execute(text("SELECT id FROM message WHERE may_have_left ORDER BY id"))
        assert flagged.scalars().all() == [1, 2]


CHECKS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND connamespace = 'public'::regnamespace
"""


def test_checks_are_those_of_the_models(migrated_engine: Engine) -> None:
    """What compare_metadata does not compare: the members of each enumeration in its CHECK."""
    with migrated_engine.connect() as connection:
        found = {name: re.findall(r"'(\w+)'", definition) for name, definition in connection.execute(text(CHECKS))}
    expected = {
        str(check.name): re.findall(r"'(\w+)'", str(check.sqltext))
        for table in Base.metadata.tables.values()
        for check in table.constraints
        if hasattr(check, "sqltext")
    }
    assert expected
    assert found == expected


def test_constraints_and_indexes_are_named_by_convention(migrated_engine: Engine) -> None:
    tables = inspect(migrated_engine)
    names = [
        (table, str(one["name"]), prefix)
        for table in Base.metadata.tables
        for prefix, found in (
            ("pk_", [tables.get_pk_constraint(table)]),
            ("fk_", tables.get_foreign_keys(table)),
            ("uq_", tables.get_unique_constraints(table)),
            ("ck_", tables.get_check_constraints(table)),
        )
        for one in found
    ]
    assert len(names) > 40
    assert [name for table, name, prefix in names if not name.startswith(f"{prefix}{table}")] == []


def test_instants_carry_a_zone_and_text_has_no_length(migrated_engine: Engine) -> None:
    with migrated_engine.connect() as connection:
        types = connection.execute(
            text(
                "SELECT DISTINCT data_type FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
            )
        ).scalars()
        assert set(types) <= {
            "ARRAY", "bigint", "boolean", "bytea", "date", "integer", "json", "text", "timestamp with time zone",
        }  # fmt: skip
