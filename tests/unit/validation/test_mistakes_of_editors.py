"""Mistakes that people make when they edit a suite: each is told in words before a row is judged by it."""

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.validation.regexes import text_that_takes_for_ever
from enrollment_crm.validation.suites import SuiteError, read_suite

SUITES = CHECKOUT / "expectations"
RULE = {
    "type": "expect_column_values_to_be_null",
    "kwargs": {"column": "website"},
    "meta": {"rule": "mine", "reason": "it is wrong", "remedy": "mend it"},
}
MATCH = "expect_column_values_to_match_regex"
IN_SET = "expect_column_values_to_be_in_set"
BETWEEN = "expect_column_values_to_be_between"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    shutil.copytree(SUITES, tmp_path, dirs_exist_ok=True)
    return tmp_path / "signups.json"


def change(file: Path, how: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text("utf-8"))
    how(content)
    file.write_text(json.dumps(content), "utf-8")


def mistake_in(file: Path) -> str:
    with pytest.raises(SuiteError) as raised:
        read_suite(file.parent, RecordKind.SIGNUP)
    assert str(raised.value).startswith("signups.json")
    return str(raised.value)


def rule(kind: str | None = None, /, **kwargs: Any) -> dict[str, Any]:
    return {**RULE, "type": kind or RULE["type"], "kwargs": {"column": "email", **kwargs}}


def test_a_list_of_rules_under_a_misspelt_name_is_not_passed_over(file: Path) -> None:
    change(file, lambda suite: suite.update(batch_expectation=suite.pop("batch_expectations")))
    assert "batch_expectation: Extra inputs are not permitted" in mistake_in(file)


def test_rules_that_stand_there_twice_are_not_passed_over(file: Path) -> None:
    text = file.read_text("utf-8").rstrip().removesuffix("}")
    file.write_text(f'{text}, "expectations": [{json.dumps(RULE)}]}}', "utf-8")
    assert "'expectations' stands there twice in one pair of braces: keep one" in mistake_in(file)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (RULE | {"severity": "stop"}, "severity: Extra inputs are not permitted"),
        (rule(severity="critical"), "rule mine: severity belongs into its meta"),
        (rule(result_format="BASIC"), "rule mine: result_format is for us to say: remove it"),
        (rule(MATCH), "rule mine: it has no regex: write one"),
        (rule(MATCH, regex=5), "rule mine: its regex is 5, and no text"),
        (rule(IN_SET, value_set=[]), "rule mine: its value_set is empty, so every row would fail: name the values"),
        (rule(IN_SET, value_set=["a", 1, None]), "rule mine: its value_set holds 1, None, and rows hold texts only"),
    ],
)
def test_what_would_be_passed_over_or_fail_every_row_is_told(file: Path, wrong: dict[str, Any], words: str) -> None:
    change(file, lambda suite: suite["expectations"].append(wrong))
    assert words in mistake_in(file)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"min_value": {"$PARAMETER": "known_programs"}}, "its min_value is no number"),
        ({"max_value": "30"}, "its max_value is no number"),
        ({"min_value": 30, "max_value": 3}, "its min_value is above its max_value: exchange them"),
    ],
)
def test_limits_of_a_batch_are_numbers(file: Path, limits: dict[str, Any], words: str) -> None:
    wrong = {**RULE, "type": BETWEEN, "kwargs": {"column": "rows", **limits}}
    change(file, lambda suite: suite["batch_expectations"].append(wrong))
    assert f"rule mine: {words}" in mistake_in(file)


def test_a_byte_order_mark_of_a_windows_editor_is_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_suite(file.parent, RecordKind.SIGNUP).expectations


def test_another_encoding_is_told(file: Path) -> None:
    file.write_bytes(file.read_text("utf-8").replace("email", "émail", 1).encode("cp1252"))
    assert "save it as UTF-8" in mistake_in(file)


def test_a_file_that_is_no_suite_is_told(file: Path) -> None:
    file.write_text("[]", "utf-8")
    assert mistake_in(file).startswith("signups.json: Input should be a valid dictionary")


def test_words_end_once(file: Path) -> None:
    own = {**RULE, "meta": {"rule": "mine", "reason": " it is wrong. ", "remedy": "mend it."}}
    change(file, lambda suite: suite["expectations"].append(own))
    assert read_suite(file.parent, RecordKind.SIGNUP).expectations[-1].meta.sentence == "It is wrong: mend it."


def test_words_that_say_nothing_are_none(file: Path) -> None:
    own = {**RULE, "meta": {"rule": "mine", "reason": " . ", "remedy": "mend it"}}
    change(file, lambda suite: suite["expectations"].append(own))
    assert "meta.reason" in mistake_in(file)


EXPLODING = (r"^(a+)+$", r"^(\w+\s?)*$", r"(x+x+)+y", r"^([a-zA-Z0-9]+)*@", r"^(ab|a|b)*$", r"\w*\w*\w*\w*\w*=")


@pytest.mark.parametrize("regex", EXPLODING)
def test_a_regex_that_one_name_could_keep_busy_for_ever_is_told(file: Path, regex: str) -> None:
    began = time.thread_time()
    change(file, lambda suite: suite["expectations"].append(rule(MATCH, regex=regex)))
    assert "may take for ever on one value, such as many times" in mistake_in(file)
    assert time.thread_time() - began < 10


@pytest.mark.parametrize(
    "regex", [r"\A(?:fall|spring) 20[2-3][0-9]\Z", r"^[^@\s]+@([a-z0-9-]+\.)+[a-z]{2,}$", r"(?s).*"]
)
def test_others_are_used(regex: str) -> None:
    assert text_that_takes_for_ever(re.compile(regex)) is None
