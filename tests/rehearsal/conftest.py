"""Fixtures of the rehearsals: the stage that the command sets, on the database of the test run."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from enrollment_crm.cli.rehearsal_worker import Stage, stage_on
from enrollment_crm.stack.postgres import Cluster

Perform = Callable[..., Mapping[str, Any]]


@pytest.fixture(scope="session")
def stage(cluster: Cluster) -> Iterator[Stage]:
    """A schema of its own, as ``enrollment-crm rehearse`` makes it once a process."""
    with stage_on(cluster.url("crm")) as one:
        yield one


@pytest.fixture
def rehearsed(stage: Stage, tmp_path: Path) -> Perform:
    """Rehearse these facts, and give the result."""

    def run(*facts: Mapping[str, Any], **scenario: Any) -> Mapping[str, Any]:
        whole = {"id": "one", "start": "2025-08-31T00:00:00Z", "end": "2026-09-01T00:00:00Z", "facts": facts}
        file = tmp_path / "one.json"
        file.write_text(json.dumps(whole | scenario), "utf-8")
        return stage.perform(file)

    return run
