"""One process that rehearses: it sets its stage once, a schema of its own, and performs one scenario after another."""

import atexit
import os
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine

from enrollment_crm.bootstrap import rehearsal_parts_of
from enrollment_crm.domain.scenarios import ScenarioInvalid
from enrollment_crm.settings import Settings
from enrollment_crm.sources.programs import ProgramConfigurationError
from enrollment_crm.sources.scenarios import read_scenario
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.rehearsal import scratch_schema
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.workflows.rehearsal import rehearse


class _Stage:
    """What a process keeps from one scenario to the next."""

    stack: ExitStack | None = None
    engine: Engine | None = None


def open_stage(url: str) -> None:
    """Make the schema and its tables; called once a process."""
    stack = ExitStack()
    server = connect(url)
    stack.callback(server.dispose)
    _Stage.engine = stack.enter_context(scratch_schema(server, f"rehearsal_{os.getpid()}"))
    _Stage.stack = stack
    upgrade_schema(_Stage.engine)
    atexit.register(close_stage)


def close_stage() -> None:
    """Drop the schema; twice is once."""
    if _Stage.stack is not None:
        _Stage.stack.close()
    _Stage.stack = _Stage.engine = None


def perform(file: Path) -> dict[str, object]:
    """Rehearse the scenario of one file.

    Raises:
        ScenarioInvalid: it says what cannot be rehearsed; the message names the file.
    """
    if _Stage.engine is None:
        raise RuntimeError("The stage is not open: call open_stage first.")
    scenario = read_scenario(file)
    try:
        parts = rehearsal_parts_of(Settings(), _Stage.engine, scenario)
        return rehearse(scenario, parts).to_json()
    except (ScenarioInvalid, ProgramConfigurationError) as error:
        raise ScenarioInvalid(f"{file.name}: {error}") from error
