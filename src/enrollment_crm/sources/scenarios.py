"""Scenarios as JSON files."""

import json
from pathlib import Path
from typing import Any

from enrollment_crm.domain.scenarios import Scenario, ScenarioInvalid, scenario_of


def read_scenario(file: Path) -> Scenario:
    """The scenario of one file.

    Raises:
        ScenarioInvalid: the file is no JSON, or says what cannot be rehearsed; the message names it.
    """
    try:
        raw: Any = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioInvalid(f"{file.name} cannot be read as JSON: {error}") from error
    try:
        return scenario_of(raw)
    except ScenarioInvalid as error:
        raise ScenarioInvalid(f"{file.name}: {error}") from error
