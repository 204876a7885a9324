"""Whole cycles with known outcomes: the real workflows on a real database, under a virtual clock (R1 to R10)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.rehearsal.comparison import differences

from enrollment_crm.cli.rehearsal_worker import Stage

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_solved_case(file: Path, stage: Stage) -> None:
    case = json.loads(file.read_text("utf-8"))
    assert differences(case, stage.perform(file)) == [], case["why"]


def test_there_are_cases_and_each_compares_something() -> None:
    cases = [json.loads(file.read_text("utf-8")) for file in CASES]
    assert len(cases) == 85
    assert all(case["compare"] and case["expect"] for case in cases)


def _later(send: dict[str, Any]) -> None:
    send["at"] = "2025-11-01T15:00:00Z"


def _another(send: dict[str, Any]) -> None:
    send["covers"][0]["offset"] = "14d"


def _caught_up(send: dict[str, Any]) -> None:
    send["covers"][0]["catch_up"] = True


@pytest.mark.parametrize("spoil", [_later, _another, _caught_up])
def test_another_outcome_is_seen(spoil: Callable[[dict[str, Any]], None]) -> None:
    case = json.loads(CASES[0].read_text("utf-8"))
    result = json.loads(json.dumps(case["expect"]))
    assert differences(case, result) == []
    spoil(result["sends"][0])
    assert len(differences(case, result)) == 2  # what is missing, and what came instead


def test_a_message_too_many_or_too_few_is_seen() -> None:
    case = json.loads(CASES[0].read_text("utf-8"))
    sends = case["expect"]["sends"]
    assert differences(case, {"sends": [*sends, sends[0]]}) == ["deadline_reminder: 4 became 5"]
    assert len(differences(case, {"sends": sends[1:]})) == 1
