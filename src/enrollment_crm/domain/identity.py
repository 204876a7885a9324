"""Identity: when two records are one person.

One address is one record, always: the database holds that. Everything beyond an address is a rule of
``config/identity.yml``, tried in its order; the first that two records fulfil decides:

| effect | what happens |
|---|---|
| ``same`` | they are one person for certain: merged at once, in the audit trail, and it can be undone |
| ``review`` | they may be: a member of staff is asked, and nothing is merged before the answer |

Two records that contradict each other are asked about, whatever the rule says. What a person of staff has decided is
not asked again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class MatchEffect(StrEnum):
    """What follows where two records fulfil a rule."""

    #: Certain: one person.
    SAME = "same"
    #: Probable: a member of staff decides.
    REVIEW = "review"


class MatchField(StrEnum):
    """What two records can have in common."""

    #: What a source calls the person: Slate's pid, Salesforce's Contact id, the CAS ID.
    PERSON_REFERENCE = "person_reference"
    #: Without regard to case.
    FIRST_NAME = "first_name"
    #: Without regard to case.
    LAST_NAME = "last_name"
    #: The day.
    BIRTH_DATE = "birth_date"
    #: The last nine digits: prefixes of countries are written in many ways.
    PHONE = "phone"


#: What can be looked up by itself; every rule needs one.
_FINDS = (MatchField.PERSON_REFERENCE, MatchField.BIRTH_DATE, MatchField.PHONE)
#: What two records of one person cannot differ in, where both say it.
_CAN_CONTRADICT = frozenset({MatchField.BIRTH_DATE, MatchField.FIRST_NAME, MatchField.LAST_NAME})


@dataclass(frozen=True)
class MatchRule:
    """Two records that have all these fields in common, and what follows. ``ValueError`` where that cannot be."""

    name: str
    fields: tuple[MatchField, ...]
    effect: MatchEffect

    def __post_init__(self) -> None:
        if not set(self.fields) & set(_FINDS):
            finds = ", ".join(_FINDS)
            raise ValueError(f"rule {self.name}: add one of {finds}; names alone make one of many people")


@dataclass(frozen=True)
class MatchRules:
    """The rules in their order, and the fields in which one person cannot differ."""

    rules: tuple[MatchRule, ...]
    contradicted_by: tuple[MatchField, ...]

    def __post_init__(self) -> None:
        impossible = set(self.contradicted_by) - _CAN_CONTRADICT
        if impossible:
            can, not_these = ", ".join(sorted(_CAN_CONTRADICT)), ", ".join(sorted(impossible))
            raise ValueError(f"contradicted_by: {not_these} cannot contradict, only {can} can")


#: What ``config/identity.yml`` says as it comes.
DEFAULT_RULES = MatchRules(
    rules=(
        MatchRule("source_reference", (MatchField.PERSON_REFERENCE,), MatchEffect.SAME),
        MatchRule(
            "name_and_birth_date",
            (MatchField.FIRST_NAME, MatchField.LAST_NAME, MatchField.BIRTH_DATE),
            MatchEffect.REVIEW,
        ),
        MatchRule(
            "name_and_phone", (MatchField.FIRST_NAME, MatchField.LAST_NAME, MatchField.PHONE), MatchEffect.REVIEW
        ),
    ),
    contradicted_by=(MatchField.BIRTH_DATE,),
)


@dataclass(frozen=True)
class MatchRecord:
    """What a record says that rules look at. pii."""

    person_id: int
    first_name: str
    last_name: str
    birth_date: date | None


@dataclass(frozen=True)
class Judgement:
    """What follows for two records, and why in words without a value."""

    effect: MatchEffect
    reason: str


def judge_pair(
    rule: MatchRule, one: MatchRecord, other: MatchRecord, contradicted_by: Sequence[MatchField]
) -> Judgement:
    """What follows for two records that fulfil a rule."""
    differ = [field.value.replace("_", " ") for field in contradicted_by if _differ(field, one, other)]
    common = ", ".join(field.value.replace("_", " ") for field in rule.fields)
    if differ:
        return Judgement(MatchEffect.REVIEW, f"the same {common}, but another {', '.join(differ)}")
    return Judgement(rule.effect, f"the same {common}")


def _differ(field: MatchField, one: MatchRecord, other: MatchRecord) -> bool:
    mine, theirs = _said(field, one), _said(field, other)
    return bool(mine and theirs and mine != theirs)


def _said(field: MatchField, record: MatchRecord) -> str:
    value = getattr(record, field.value)
    return value.casefold() if isinstance(value, str) else str(value or "")
