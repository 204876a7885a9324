"""The shortcuts answer what Great Expectations answers, for each rule of the suites."""

import json
import subprocess
import sys

import pytest
from great_expectations.core import id_dict
from great_expectations.expectations import expectation as gx_expectation
from great_expectations.expectations.expectation import Expectation

import enrollment_crm.validation.batches
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.validation import shortcuts

#: Asks both about each rule, and about what names a metric: in a process that has taken no shortcut.
BOTH = """
import json
from pathlib import Path
from great_expectations.core import id_dict
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.validation import shortcuts
from enrollment_crm.validation.batch_rules import expectation_of
from enrollment_crm.validation.suites import SUITE_FILES, read_suite

pairs = []
for kind in RecordKind:
    suite = read_suite(Path("expectations"), kind)
    for one in (*suite.expectations, *suite.batch_expectations):
        rule = expectation_of(one, SUITE_FILES[kind])
        for batch in (None, "intake-signup"):
            rule.batch_id = batch
            pairs.append((rule._get_domain_kwargs(), shortcuts.domain_kwargs(rule)))
            pairs.append((rule._get_success_kwargs(), shortcuts.success_kwargs(rule)))
            pairs += [
                (rule._get_success_kwarg(key, "absent"), shortcuts.success_kwarg(rule, key, "absent"))
                for key in (*rule.success_keys, *rule.runtime_keys, "unheard_of")
            ]
for given in ({"a": float("nan")}, {"a": [1, None]}, {"a": {1: "x"}, "b": True}, {"a": None, "b": "x", "c": 1}):
    pairs.append((id_dict.convert_to_json_serializable(data=dict(given)), shortcuts.as_json(dict(given))))
print(json.dumps([[json.dumps(one, sort_keys=True, default=repr) for one in pair] for pair in pairs]))
"""


@pytest.fixture(scope="module")
def answers() -> list[tuple[str, str]]:
    """Of each question the original's answer and the shortcut's."""
    asked = subprocess.run([sys.executable, "-c", BOTH], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return [(original, shortcut) for original, shortcut in json.loads(asked.stdout)]


def test_a_shortcut_answers_what_the_original_answers(answers: list[tuple[str, str]]) -> None:
    assert [answer for answer in answers if answer[0] != answer[1]] == []


def test_both_were_asked_about_many_rules(answers: list[tuple[str, str]]) -> None:
    assert len(answers) > 200
    assert any('"is_null": true' in original for original, _ in answers)


def test_a_validation_takes_the_shortcuts() -> None:
    assert enrollment_crm.validation.batches.Validator is not None
    assert gx_expectation.camel_to_snake is shortcuts.camel_to_snake
    assert id_dict.convert_to_json_serializable is shortcuts.as_json
    taken = (Expectation._get_success_kwarg, Expectation._get_domain_kwargs, Expectation._get_success_kwargs)
    assert taken == (shortcuts.success_kwarg, shortcuts.domain_kwargs, shortcuts.success_kwargs)
