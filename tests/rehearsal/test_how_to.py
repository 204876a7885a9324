"""The recipe for rehearsals: its scenario gives its result, and it names every kind of fact."""

import json
import re
from pathlib import Path

import pytest
from tests.rehearsal.conftest import Perform

from enrollment_crm.domain.scenarios import _REQUIRED as REQUIRED
from enrollment_crm.domain.scenarios import FactKind

RECIPE = (Path(__file__).parents[2] / "docs" / "how-to" / "rehearse-a-cycle.md").read_text("utf-8")


def test_its_scenario_gives_its_result(rehearsed: Perform) -> None:
    scenario, result = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", RECIPE, re.DOTALL))
    facts = scenario.pop("facts")
    assert json.loads(json.dumps(rehearsed(*facts, **scenario))) == result


@pytest.mark.parametrize("kind", FactKind)
def test_it_names_every_kind_with_the_fields_that_it_needs(kind: FactKind) -> None:
    (fields,) = re.findall(rf"^\| `{kind.value}` \| (.*) \|$", RECIPE, re.MULTILINE)
    assert [name for name in REQUIRED[kind] if f"`{name}`" not in fields] == []
