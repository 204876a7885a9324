"""The shape of the database: upgraded by Alembic, and compared with what this code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

_MIGRATIONS = Path(__file__).parent / "migrations"
#: Advisory lock (any constant of our own): two upgrades side by side wait for each other.
_UPGRADE_LOCK = 7_204_118


def upgrade_schema(engine: Engine) -> str:
    """Bring the database to the newest shape, in one transaction; give the revision it has now."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        command.upgrade(_config(connection), "head")
    return newest_revision()


def current_revision(connection: Connection) -> str | None:
    """The revision that the database has; None: it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision that this code expects."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    if head is None:
        raise FileNotFoundError(f"{_MIGRATIONS} holds no migrations: the package is incomplete, install it again.")
    return head


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def write_migration(engine: Engine, message: str) -> None:
    """For developers: write a migration from the difference between the tables and the database."""
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True)
