"""The recipes about rejected rows and rules name what there is: measures, severities, fields."""

import re
from pathlib import Path

import pytest

from enrollment_crm.domain.batch_profiles import measures_known
from enrollment_crm.domain.batches import Severity
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.validation.suites import SUITE_FILES, Expectation, RuleWords, read_suite

CHECKOUT = Path(__file__).parents[2]
HOW_TO = CHECKOUT / "docs" / "how-to"
RULES = (HOW_TO / "change-a-validation-rule.md").read_text("utf-8")
ROWS = (HOW_TO / "fix-a-quarantined-row.md").read_text("utf-8")


def rows_of(table: str) -> set[str]:
    """The first cells of a table, by its header."""
    body = RULES.partition(f"| {table} |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `([\w.]+)` \|", body, re.MULTILINE))


def test_it_names_every_measure_and_no_other() -> None:
    known = {re.sub(r"\..*", ".FIELD", name) for kind in RecordKind for name in measures_known(kind)}
    assert rows_of("measure") == known


def test_it_names_every_severity_and_no_other() -> None:
    assert rows_of("severity") == set(Severity)


def test_the_smallest_batch_is_what_it_says() -> None:
    assert f"`minimum_rows` ({RuleWords(rule='x', reason='x', remedy='x').minimum_rows} where it is not said)" in RULES


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)```", RULES, re.DOTALL), ids=["row", "batch"])
def test_the_examples_are_rules_of_the_suites(example: str) -> None:
    rule = Expectation.model_validate_json(example)
    suite = read_suite(CHECKOUT / "expectations", RecordKind.SIGNUP)
    assert rule in (*suite.expectations, *suite.batch_expectations)


def test_it_names_every_suite() -> None:
    assert all(f"{name}`" in RULES for name in SUITE_FILES.values())


def test_the_recipe_of_rows_names_fields_that_exist() -> None:
    assert set(re.findall(r"--set (\w+)=", ROWS)) <= {"entry_term", "phone", "damage"}
