"""The rules in ``expectations/*.json``: Great Expectations' own format, with words for people in ``meta``.

``expectations`` judge rows, ``batch_expectations`` the measures of a whole batch.

Operations and analysts edit these files; what is wrong with one is said with file, rule and remedy.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from enrollment_crm.domain.batch_profiles import measures_known
from enrollment_crm.domain.batches import Severity
from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, RecordKind
from enrollment_crm.validation.rule_arguments import problems_of_limits, problems_of_texts

#: The suite of each kind of record.
SUITE_FILES = {
    RecordKind.SIGNUP: "signups.json",
    RecordKind.APPLICATION: "applications.json",
    RecordKind.CHECKLIST: "checklists.json",
}
#: Part of a sentence: it ends where the sentence goes on.
_Words = Annotated[str, AfterValidator(lambda text: text.strip(" ."))]


class SuiteError(ValueError):
    """A file in expectations/ cannot be used. Correct it as the sentence says; no row was judged with it."""


class RuleWords(BaseModel):
    """The ``meta`` of an expectation: what people read when a row fails it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Short name under which failures are counted and found.
    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    #: What is wrong with the row, as a sentence without its end: "the email address is missing".
    reason: _Words = Field(pattern=r"\w")
    #: What to do about it, as the end of that sentence: "ask the source for it".
    remedy: _Words = Field(pattern=r"\w")
    #: What follows when it fails. None: the row is quarantined; a batch is warned of.
    severity: Severity | None = None
    #: Smallest batch, in rows, that a rule may stop and that a rule about batches looks at.
    minimum_rows: int = Field(100, ge=1)

    @property
    def sentence(self) -> str:
        """Reason and remedy as people read them."""
        return f"{self.reason[0].upper()}{self.reason[1:]}: {self.remedy}."


class Expectation(BaseModel):
    """One rule about one column of rows, or one measure of a batch, as Great Expectations writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    arguments: dict[str, Any] = Field(validation_alias=AliasChoices("kwargs"))
    meta: RuleWords
    #: Great Expectations' own, which mean nothing here.
    id: str | None = None
    notes: str | list[str] | None = None
    rendered_content: Any = None

    @property
    def column(self) -> str:
        """The canonical field, or the measure, that the rule is about."""
        return str(self.arguments["column"])

    @property
    def row_severity(self) -> Severity:
        """What follows for a row that fails it, and for its batch."""
        return self.meta.severity or Severity.QUARANTINE

    @property
    def batch_severity(self) -> Severity:
        """What follows for a batch that fails it."""
        return self.meta.severity or Severity.WARN


class Suite(BaseModel):
    """The rules for one kind of record, the most important first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    expectations: list[Expectation] = Field(min_length=1)
    #: Rules about the measures of a batch, see ``domain/batch_profiles``.
    batch_expectations: list[Expectation] = []
    #: Great Expectations' own, which mean nothing here.
    id: str | None = None
    meta: dict[str, Any] = {}
    notes: str | list[str] | None = None
    suite_parameters: dict[str, Any] = {}


def read_suite(directory: Path, kind: RecordKind) -> Suite:
    """The suite of a kind of record.

    Raises:
        SuiteError: the file is missing, is no JSON, or holds a rule that cannot be.
    """
    file = directory / SUITE_FILES[kind]
    try:
        # Editors of Windows begin a file with a mark of its encoding.
        suite = Suite.model_validate(json.loads(file.read_text("utf-8-sig"), object_pairs_hook=_said_once))
    except FileNotFoundError:
        raise SuiteError(f"{file} is missing: restore it, every {kind.value} is judged by it.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SuiteError(f"{file.name}, {where}: this is no JSON ({error.msg}). Look at the line before it.") from None
    except UnicodeDecodeError:
        raise SuiteError(f"{file.name} is no UTF-8: save it as UTF-8.") from None
    except SuiteError as error:
        raise SuiteError(f"{file.name}: {error}") from None
    except ValidationError as error:
        raise SuiteError(f"{file.name}: {_in_words(error)}") from None
    problems = [*_repeated_rules(suite)]
    for expectation in suite.expectations:
        problems += [f"rule {expectation.meta.rule}: {problem}" for problem in _problems(expectation, kind)]
    for expectation in suite.batch_expectations:
        problems += [f"rule {expectation.meta.rule}: {problem}" for problem in _problems_of_batch(expectation, kind)]
    if problems:
        raise SuiteError(f"{file.name}: {'; '.join(problems)}.")
    return suite


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a name that stands there twice, JSON would take the last one and say nothing."""
    names = Counter(name for name, _ in pairs)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise SuiteError(f"{twice[0]!r} stands there twice in one pair of braces: keep one.")
    return dict(pairs)


def _repeated_rules(suite: Suite) -> list[str]:
    names = Counter(one.meta.rule for one in (*suite.expectations, *suite.batch_expectations))
    return [f"rule {name} stands there {count} times: keep one" for name, count in names.items() if count > 1]


def _problems(expectation: Expectation, kind: RecordKind) -> list[str]:
    problems = []
    if expectation.arguments.get("column") not in CANONICAL_FIELDS[kind]:
        fields = ", ".join(CANONICAL_FIELDS[kind])
        problems.append(f"its column is {expectation.arguments.get('column')!r}: write one of {fields}")
    return [*problems, *problems_of_texts(expectation.type, expectation.arguments)]


def _problems_of_batch(expectation: Expectation, kind: RecordKind) -> list[str]:
    problems = []
    measures = measures_known(kind)
    if expectation.arguments.get("column") not in measures:
        problems.append(f"its column is {expectation.arguments.get('column')!r}: write one of {', '.join(measures)}")
    if expectation.meta.severity is Severity.QUARANTINE:
        problems.append("a rule about a batch can warn or stop, and quarantines no row: write warn or stop")
    return [*problems, *problems_of_limits(expectation.arguments)]


def _in_words(error: ValidationError) -> str:
    return "; ".join(
        ": ".join(
            filter(
                None, (".".join(str(part + 1 if isinstance(part, int) else part) for part in one["loc"]), one["msg"])
            )
        )
        for one in error.errors(include_input=False)
    )
