"""The database, brought up to date: its shape, and the dates of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.programs import Program
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.workflows.deadlines import CalendarLoaded, load_calendar


@dataclass(frozen=True)
class DatabaseUpgraded:
    """The revision that the database has now, and what was added to the calendar."""

    revision: str
    calendar: CalendarLoaded


def upgrade_database(engine: Engine, programs: Mapping[str, Program], *, now: datetime) -> DatabaseUpgraded:
    """Bring the tables up to date and the dates of the configuration into force; safe to run again and side by side."""
    return DatabaseUpgraded(upgrade_schema(engine), load_calendar(engine, programs, now=now))
