import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enrollment_crm.domain.batches import Severity
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.validation.suites import SUITE_FILES, SuiteError, read_suite

SUITES = CHECKOUT / "expectations"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the suites that a test may spoil."""
    for name in SUITE_FILES.values():
        (tmp_path / name).write_text((SUITES / name).read_text("utf-8"), "utf-8")
    return tmp_path


def spoil(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the first rule about the email address in the suite for signups."""

    def change_rule(suite: dict[str, Any]) -> None:
        change(next(rule for rule in suite["expectations"] if rule["meta"]["rule"] == "email_implausible"))

    spoil_suite(directory, change_rule)


def spoil_suite(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the suite for signups."""
    file = directory / "signups.json"
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize("kind", RecordKind)
def test_every_rule_says_what_is_wrong_and_what_to_do(kind: RecordKind) -> None:
    suite = read_suite(SUITES, kind)
    assert len(suite.expectations) > 10
    for expectation in suite.expectations:
        assert expectation.meta.sentence.count(": ") == 1
        assert expectation.meta.sentence.endswith(".")
        assert not expectation.meta.sentence.endswith("..")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rule: rule["kwargs"].update(column="mail"),
            "rule email_implausible: its column is 'mail': write one of",
        ),
        (lambda rule: rule["kwargs"].update(mostly=0.9), "rule email_implausible: a row either passes or fails"),
        (lambda rule: rule["kwargs"].update(regex="(@"), r"'\(@' is no regular expression \(missing \)"),
        (lambda rule: rule["kwargs"].update(regex={"$PARAMETER": "today"}), "nobody provides 'today': write one of"),
        (lambda rule: rule["meta"].update(rule="email_missing"), "rule email_missing stands there 2 times: keep one"),
        (lambda rule: rule["meta"].pop("remedy"), r"expectations\.4\.meta\.remedy: Field required"),
        (lambda rule: rule["meta"].update(rule="Bad address"), r"expectations\.4\.meta\.rule: String should match"),
        (lambda rule: rule.pop("type"), r"expectations\.4\.type: Field required"),
    ],
)
def test_says_file_rule_and_remedy(directory: Path, change: Callable[[dict[str, Any]], object], words: str) -> None:
    spoil(directory, change)
    with pytest.raises(SuiteError, match=rf"^signups\.json: .*{words}"):
        read_suite(directory, RecordKind.SIGNUP)


def test_says_where_the_json_breaks(directory: Path) -> None:
    file = directory / "signups.json"
    file.write_text(file.read_text("utf-8").replace('"kwargs"', '"kwargs', 1), "utf-8")
    with pytest.raises(SuiteError, match=r"signups\.json, line 7, column \d+: this is no JSON"):
        read_suite(directory, RecordKind.SIGNUP)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"applications\.json is missing: restore it"):
        read_suite(tmp_path, RecordKind.APPLICATION)


@pytest.mark.parametrize(
    ("rules", "change", "words"),
    [
        ("batch_expectations", {"severity": "quarantine"}, "a rule about a batch can warn or stop"),
        ("batch_expectations", {"severity": "halt"}, "'warn', 'quarantine' or 'stop'"),
        ("batch_expectations", {"minimum_rows": 0}, "greater than or equal to 1"),
        ("batch_expectations", {"rule": "email_missing"}, "rule email_missing stands there 2 times"),
        ("expectations", {"severity": "halt"}, "'warn', 'quarantine' or 'stop'"),
        ("expectations", {"severe": "stop"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_in_a_severity_is_said(directory: Path, rules: str, change: dict[str, Any], words: str) -> None:
    spoil_suite(directory, lambda suite: suite[rules][0]["meta"].update(change))
    with pytest.raises(SuiteError, match=re.escape(words)) as raised:
        read_suite(directory, RecordKind.SIGNUP)
    assert str(raised.value).startswith("signups.json: ")


def test_a_measure_that_does_not_exist_is_named_with_those_that_do(directory: Path) -> None:
    spoil_suite(directory, lambda suite: suite["batch_expectations"][0]["kwargs"].update(column="volume"))
    with pytest.raises(SuiteError, match=r"its column is 'volume': write one of rows, rows_against_usual"):
        read_suite(directory, RecordKind.SIGNUP)


def test_what_follows_where_no_severity_is_said() -> None:
    suite = read_suite(CHECKOUT / "expectations", RecordKind.SIGNUP)
    assert {one.row_severity for one in suite.expectations} == {Severity.QUARANTINE}
    bare = suite.batch_expectations[0].model_copy(
        update={"meta": suite.batch_expectations[0].meta.model_copy(update={"severity": None})}
    )
    assert bare.batch_severity is Severity.WARN
