"""Match rules: what is certain, what is asked about, and what cannot be a rule."""

from datetime import date

import pytest

from enrollment_crm.bootstrap import identity_rules_of
from enrollment_crm.domain.identity import (
    DEFAULT_RULES,
    MatchEffect,
    MatchField,
    MatchRecord,
    MatchRule,
    MatchRules,
    judge_pair,
)
from enrollment_crm.settings import Settings

SURE = MatchRule("source_reference", (MatchField.PERSON_REFERENCE,), MatchEffect.SAME)
BORN = (MatchField.BIRTH_DATE,)


def record(person_id: int, born: date | None = None, first: str = "Ana") -> MatchRecord:
    return MatchRecord(person_id, first, "Silva", born)


def test_the_configuration_says_what_the_code_takes_where_nobody_says_anything() -> None:
    assert identity_rules_of(Settings()) == DEFAULT_RULES


def test_a_certain_rule_is_certain_and_a_probable_one_a_question() -> None:
    assert judge_pair(SURE, record(1), record(2), BORN).effect is MatchEffect.SAME
    maybe = MatchRule("birth", (MatchField.LAST_NAME, MatchField.BIRTH_DATE), MatchEffect.REVIEW)
    judged = judge_pair(maybe, record(1), record(2), BORN)
    assert (judged.effect, judged.reason) == (MatchEffect.REVIEW, "the same last name, birth date")


def test_records_that_contradict_each_other_are_asked_about_whatever_the_rule() -> None:
    judged = judge_pair(SURE, record(1, date(1999, 1, 1)), record(2, date(2001, 1, 1)), BORN)
    assert judged.effect is MatchEffect.REVIEW
    assert judged.reason == "the same person reference, but another birth date"


def test_what_only_one_of_them_says_contradicts_nothing() -> None:
    assert judge_pair(SURE, record(1, date(1999, 1, 1)), record(2), BORN).effect is MatchEffect.SAME


def test_case_is_no_contradiction() -> None:
    by_name = (MatchField.FIRST_NAME,)
    assert judge_pair(SURE, record(1, first="ANA"), record(2), by_name).effect is MatchEffect.SAME
    assert judge_pair(SURE, record(1, first="Bea"), record(2), by_name).effect is MatchEffect.REVIEW


def test_a_rule_of_names_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="names alone"):
        MatchRule("names", (MatchField.FIRST_NAME, MatchField.LAST_NAME), MatchEffect.REVIEW)


def test_what_cannot_contradict_is_refused() -> None:
    with pytest.raises(ValueError, match="phone cannot contradict"):
        MatchRules((SURE,), (MatchField.PHONE,))
