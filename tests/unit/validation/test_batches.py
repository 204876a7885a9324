import json
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from enrollment_crm.domain.addresses import is_plausible_address
from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, RecordKind
from enrollment_crm.domain.raw_values import text_of
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.validation.batches import Validator
from enrollment_crm.validation.suites import SuiteError
from enrollment_crm.validation.verdicts import CandidateRow, RuleCount, Verdict

SIGNUP = {"email": "asha@example.com", "consent": "yes"}
APPLICATION = {"email": "asha@example.com", "status": "started", "entry_term": "fall 2027"}
ITEM = {"application_source": "slate", "application_id": "a-1", "item": "transcript", "status": "awaiting", "code": "T"}
PROGRAM = "ms-advanced-intelligent-manufacturing"
SUITES = CHECKOUT / "expectations"

#: What each rule rejects, as a change of a good row: one of them for every rule of the suites.
REJECTED: Mapping[RecordKind, Mapping[str, Mapping[str, str | None]]] = {
    RecordKind.SIGNUP: {
        "honeypot_filled": {"website": "https://spam.example"},
        "row_damaged": {"damage": "2 cells under 3 headings"},
        "email_missing": {"email": None},
        "email_implausible": {"email": "asha@example"},
        "consent_missing": {"consent": None},
        "consent_unknown": {"consent": "ja"},
        "consent_refused": {"consent": "no"},
        "entry_term_unknown": {"entry_term": "999999"},
        "program_unknown": {"program": "alchemy"},
        "residency_unknown": {"residency": "martian"},
        "occurred_at_unreadable": {"occurred_at": "46343.4375"},
        "first_name_unreadable": {"first_name": "As\ufffdha"},
        "last_name_unreadable": {"last_name": "Rao\nBcc: x@example.com"},
        "submission_too_long": {"submission": "x" * 201},
        "sent_too_fast": {"suspicion": "sent too fast"},
    },
    RecordKind.APPLICATION: {
        "row_damaged": {"damage": "2 cells under 3 headings"},
        "person_missing": {"email": None},
        "email_implausible": {"email": "asha example.com"},
        "status_missing": {"status": None},
        "status_unknown": {"status": "Withdrawn"},
        "entry_term_missing": {"entry_term": None},
        "entry_term_unknown": {"entry_term": "summer 2027"},
        "program_unknown": {"program": "alchemy"},
        "occurred_at_unreadable": {"occurred_at": "2026-11-24T10:00:00"},
        "first_name_unreadable": {"first_name": "x" * 201},
        "last_name_unreadable": {"last_name": "\ufffd"},
        "application_id_too_long": {"application_id": "x" * 201},
        "person_reference_too_long": {"person_reference": "x" * 201},
    },
    RecordKind.CHECKLIST: {
        "row_damaged": {"damage": "2 cells under 3 headings"},
        "application_missing": {"application_id": None},
        "application_source_missing": {"application_source": None},
        "item_missing": {"item": None},
        "status_missing": {"status": None},
        "status_unknown": {"status": "Lost"},
        "occurred_at_unreadable": {"occurred_at": "46343"},
        "application_id_too_long": {"application_id": "x" * 201},
        "code_too_long": {"code": "x" * 201},
        "code_unreadable": {"code": "T\ufffd"},
        "item_reference_too_long": {"item_reference": "x" * 201},
    },
}
GOOD: Mapping[RecordKind, Mapping[str, str | None]] = {
    RecordKind.SIGNUP: SIGNUP,
    RecordKind.APPLICATION: APPLICATION,
    RecordKind.CHECKLIST: ITEM,
}
ACCEPTED: Sequence[tuple[RecordKind, Mapping[str, str | None]]] = [
    (RecordKind.SIGNUP, {"entry_term": None, "residency": "unknown", "program": PROGRAM}),
    (RecordKind.SIGNUP, {"entry_term": "spring 2030", "citizenship": "Stateless", "country": "Wakanda"}),
    (RecordKind.SIGNUP, {"first_name": "x" * 200, "last_name": "العتيبي", "time_zone": "Boston"}),
    (RecordKind.SIGNUP, {"email": "dots..@bücher.example", "occurred_at": "2026-11-24T10:00:00.123456+05:45"}),
    (RecordKind.APPLICATION, {"email": None, "application_id": "a-1"}),
    (RecordKind.CHECKLIST, {"item": "RECO-X", "code": "RECO-X", "occurred_at": None}),
    (RecordKind.APPLICATION, {"status": "submitted", "occurred_at": "2026-11-24T15:00:00Z"}),
]
HOSTILE = (
    "\0",
    "\ud800",
    "\ufffd",
    "x" * 1_000_000,
    "{{ 7*7 }}",
    "=cmd()",
    "' OR 1=1",
    "a\nb",
    "NaN",
    "<NA>",
    "\u202e",
)


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(SUITES, known_programs=[PROGRAM])


def judge(validator: Validator, kind: RecordKind, rows: Sequence[Mapping[str, str | None]]) -> Verdict:
    return validator.validate(kind, [CandidateRow(100 + n, row) for n, row in enumerate(rows)])


@pytest.mark.parametrize("kind", RecordKind)
def test_each_rule_rejects_its_row_alone_and_counts_it(validator: Validator, kind: RecordKind) -> None:
    changes = REJECTED[kind]
    verdict = judge(validator, kind, [GOOD[kind], *({**GOOD[kind], **change} for change in changes.values())])
    assert verdict.accepted == (100,)
    assert [one.rules for one in verdict.rejected] == [(rule,) for rule in changes]
    assert [one.rule for one in verdict.counts] == list(changes)  # every rule of the suite has its row here
    assert [one.failed for one in verdict.counts] == [1] * len(changes)
    assert [one.column for one in verdict.rejected] == [one.column for one in verdict.counts]


@pytest.mark.parametrize("kind", RecordKind)
@pytest.mark.parametrize(
    "time", ["2026-11-01T09:12:00-99:00", "2026-13-01T09:12:00-05:00", "2026-11-32T09:12Z", "2026-11-01T24:61:00Z"]
)
def test_a_time_that_no_clock_shows_is_named_by_its_rule(validator: Validator, kind: RecordKind, time: str) -> None:
    (rejection,) = judge(validator, kind, [{**GOOD[kind], "occurred_at": time}]).rejected
    assert rejection.rules == ("occurred_at_unreadable",)


def test_lets_through_what_is_merely_unusual(validator: Validator) -> None:
    for kind in RecordKind:
        rows = [{**GOOD[kind], **change} for of_kind, change in ACCEPTED if of_kind is kind]
        assert judge(validator, kind, rows).rejected == ()


def test_one_row_has_one_rejection_with_all_its_reasons(validator: Validator) -> None:
    row = {**SIGNUP, "email": None, "entry_term": "999999"}
    (rejection,) = judge(validator, RecordKind.SIGNUP, [row]).rejected
    assert (rejection.row_id, rejection.rule, rejection.column) == (100, "email_missing", "email")
    assert rejection.rules == ("email_missing", "entry_term_unknown")
    assert rejection.reason == (
        "The email address is missing: ask the source for it, nobody can be written to without one. "
        "The entry term is not a fall or spring term of the years 2020 to 2039: correct it, or add its code to "
        "the terms of the source in config/sources/."
    )


def test_blank_values_are_not_asked(validator: Validator) -> None:
    counts = judge(validator, RecordKind.SIGNUP, [SIGNUP, {**SIGNUP, "entry_term": "fall 2027"}]).counts
    assert RuleCount("entry_term_unknown", "entry_term", evaluated=1, failed=0) in counts
    assert RuleCount("email_missing", "email", evaluated=2, failed=0) in counts


def test_an_empty_batch_has_an_empty_verdict(validator: Validator) -> None:
    verdict = judge(validator, RecordKind.SIGNUP, [])
    assert (verdict.accepted, verdict.rejected) == ((), ())
    assert {one.evaluated for one in verdict.counts} == {0}


@pytest.mark.parametrize("kind", RecordKind)
def test_accepted_and_rejected_are_all_rows_whatever_they_hold(validator: Validator, kind: RecordKind) -> None:
    rows: list[Mapping[str, str | None]] = [
        {name: text_of(text)} for name in CANONICAL_FIELDS[kind] for text in HOSTILE
    ]
    rows += [{}, dict.fromkeys(CANONICAL_FIELDS[kind])]
    verdict = judge(validator, kind, rows)
    ids = [*verdict.accepted, *(one.row_id for one in verdict.rejected)]
    assert sorted(ids) == [100 + n for n in range(len(rows))]


def test_the_rule_for_addresses_is_the_domains_own(validator: Validator) -> None:
    addresses = ["a@b.co", "a@b", "a..b@example.com", "a@b@c.example", "a@bücher.example", "a@b.example\n"]
    verdict = judge(validator, RecordKind.SIGNUP, [{**SIGNUP, "email": address} for address in addresses])
    assert [100 + n in verdict.accepted for n in range(len(addresses))] == [
        is_plausible_address(address) for address in addresses
    ]


def test_no_value_of_a_person_leaves_the_batch(
    validator: Validator, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "canary-7f3a"
    verdict = judge(validator, RecordKind.SIGNUP, [dict.fromkeys(CANONICAL_FIELDS[RecordKind.SIGNUP], canary)])
    assert verdict.rejected
    printed = capsys.readouterr()
    assert canary not in f"{verdict}{caplog.text}{printed.out}{printed.err}"
    assert not re.search("Calculating Metrics", printed.err)  # no progress bars either


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "expect_column_values_to_be_nice"}, "expect_column_values_to_be_nice not found"),
        ({"type": "expect_column_mean_to_be_between"}, "judges no single rows"),
        ({"kwargs": {"column": "email", "regex": "@", "flavour": "posix"}}, "flavour"),
    ],
)
def test_a_rule_that_great_expectations_does_not_know_is_named(
    tmp_path: Path, rule: dict[str, Any], words: str
) -> None:
    shutil.copytree(SUITES, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "signups.json"
    content = json.loads(file.read_text("utf-8"))
    content["expectations"][3].update(rule)
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(SuiteError, match=rf"signups\.json: rule email_implausible: .*{words}"):
        Validator(tmp_path, known_programs=[])


def test_a_rule_that_cannot_be_evaluated_judges_nobody(tmp_path: Path) -> None:
    shutil.copytree(SUITES, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "signups.json"
    text = file.read_text("utf-8")
    condition = (
        '"column": "email", "row_condition": {"type": "nullity", "column": {"name": "shoe_size"}, "is_null": true}'
    )
    file.write_text(text.replace('"column": "email"', condition, 1), "utf-8")
    with pytest.raises(SuiteError, match=r"signups\.json: rule email_missing cannot be evaluated"):
        judge(Validator(tmp_path, known_programs=[]), RecordKind.SIGNUP, [SIGNUP])
