"""A stage for rehearsals: a schema of its own, made once, on which one scenario after another is performed."""

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

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


class Stage:
    """Where scenarios are performed, one at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def perform(self, file: Path) -> dict[str, object]:
        """Rehearse the scenario of one file.

        Raises:
            ScenarioInvalid: it says what cannot be rehearsed; the message names the file.
        """
        scenario = read_scenario(file)
        try:
            parts = rehearsal_parts_of(Settings(), self._engine, scenario)
            return rehearse(scenario, parts).to_json()
        except (ScenarioInvalid, ProgramConfigurationError) as error:
            raise ScenarioInvalid(f"{file.name}: {error}") from error


@contextmanager
def stage_on(url: str) -> Iterator[Stage]:
    """A stage in the database of this URL, which is dropped at the end. Nothing that is really there is touched."""
    server = connect(url)
    try:
        with scratch_schema(server, f"rehearsal_{os.getpid()}_{uuid4().hex[:8]}") as engine:
            upgrade_schema(engine)
            yield Stage(engine)
    finally:
        server.dispose()


#: The stage of a process that does nothing else, as long as it lives.
_OPEN: list[Stage] = []


def open_stage(url: str) -> None:
    """Begin a process that rehearses."""
    stack = ExitStack()
    _OPEN.append(stack.enter_context(stage_on(url)))
    atexit.register(stack.close)


def perform(file: Path) -> dict[str, object]:
    """Rehearse on the stage of this process."""
    return _OPEN[-1].perform(file)
