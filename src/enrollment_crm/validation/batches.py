"""One batch through Great Expectations, once.

Importing this module costs seconds: warm it in the process that forks tasks. Great Expectations keeps the
failing values in its results; they stay inside this module.
"""

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

# Before the import: it writes hundreds of information lines when logging is configured already.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

import great_expectations as gx  # noqa: E402
import pandas as pd  # noqa: E402

from enrollment_crm.domain.addresses import PLAUSIBLE_ADDRESS  # noqa: E402
from enrollment_crm.domain.batches import Severity  # noqa: E402
from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, RecordKind  # noqa: E402
from enrollment_crm.validation import shortcuts  # noqa: E402
from enrollment_crm.validation.batch_rules import BatchRules, cannot_be_evaluated, expectation_of  # noqa: E402
from enrollment_crm.validation.suites import SUITE_FILES, Expectation, SuiteError, read_suite  # noqa: E402
from enrollment_crm.validation.verdicts import CandidateRow, Rejection, RuleCount, Verdict  # noqa: E402

shortcuts.take()

_ROW_ID = "row_id"
_RESULT_FORMAT = {"result_format": "COMPLETE", "unexpected_index_column_names": [_ROW_ID]}
#: Keeps None apart from text, and matches with Python's own regular expressions whatever is installed.
_TEXT = pd.StringDtype("python")

#: The rules that judge whether there is a value; all others judge the values that there are.
_ABOUT_ABSENCE = frozenset({"expect_column_values_to_be_null", "expect_column_values_to_not_be_null"})
_NOTHING_TO_JUDGE: dict[str, Any] = {"unexpected_index_list": [], "element_count": 0}

_Outcome: TypeAlias = tuple[Expectation, dict[str, Any]]


class Validator:
    """Judges batches by the suites in ``expectations/``."""

    def __init__(self, directory: Path, *, known_programs: Collection[str]) -> None:
        """Reads the suites.

        Args:
            directory: the folder ``expectations``.
            known_programs: keys of the configured programs.

        Raises:
            SuiteError: a suite cannot be used; the sentence names the file, the rule and the remedy.
        """
        self._parameters = {"plausible_address": PLAUSIBLE_ADDRESS, "known_programs": sorted(known_programs)}
        self._suites = {kind: read_suite(directory, kind) for kind in RecordKind}
        self._rules = {
            kind: {one.meta.rule: expectation_of(one, SUITE_FILES[kind]) for one in suite.expectations}
            for kind, suite in self._suites.items()
        }
        self._context = gx.get_context(mode="ephemeral")
        self._context.enable_analytics(enable=False)
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        # Once: each of these writes the configuration of the context anew, and a task would wait for it.
        source = self._context.data_sources.add_pandas("intake")
        self._definitions = {
            kind: source.add_dataframe_asset(kind.value).add_batch_definition_whole_dataframe("batch")
            for kind in RecordKind
        }
        #: Rules about whole batches.
        self.batches = BatchRules(self._suites, source)

    def validate(self, kind: RecordKind, rows: Sequence[CandidateRow]) -> Verdict:
        """What is to become of each row of a batch: accepted + rejected = rows.

        Raises:
            SuiteError: a rule could not be evaluated.
        """
        failures: dict[int, list[Expectation]] = {}
        counts, stops = list[RuleCount](), list[str]()
        for expectation, result in self._evaluate(kind, rows):
            failed = [int(entry[_ROW_ID]) for entry in result["unexpected_index_list"]]
            evaluated = result["element_count"] - result.get("missing_count", 0)
            severity = expectation.row_severity
            counts.append(RuleCount(expectation.meta.rule, expectation.column, evaluated, len(failed), severity))
            if severity is not Severity.WARN:
                for row_id in failed:
                    failures.setdefault(row_id, []).append(expectation)
            if severity is Severity.STOP and failed and len(rows) >= expectation.meta.minimum_rows:
                stops.append(f"{len(failed)} of {len(rows)} rows: {expectation.meta.sentence}")
        return Verdict(
            accepted=tuple(row.id for row in rows if row.id not in failures),
            rejected=tuple(_rejection(row.id, failures[row.id]) for row in rows if row.id in failures),
            counts=tuple(counts),
            stops=tuple(stops),
        )

    def try_out(self, kind: RecordKind) -> list[str]:
        """Why rules cannot be evaluated, a sentence a rule, found out on a made-up row that says something everywhere.

        A rule whose field is blank in a batch is not evaluated: a mistake in it would be found out weeks later.
        """
        row = CandidateRow(0, dict.fromkeys(CANONICAL_FIELDS[kind], "made up"))
        frame = _frame(self._columns(kind), [row])
        results = self._results(kind, frame, self._suites[kind].expectations)
        failed = [cannot_be_evaluated(kind, one) for one in results if "unexpected_index_list" not in one.result]
        return [*failed, *self.batches.try_out(kind)]

    def _columns(self, kind: RecordKind) -> list[str]:
        """The fields that the rules of a kind look at, in their columns or in their conditions."""
        asked = " ".join(f"{e.column} {e.arguments.get('row_condition', '')}" for e in self._suites[kind].expectations)
        return [name for name in CANONICAL_FIELDS[kind] if re.search(rf"\b{name}\b", asked)]

    def _evaluate(self, kind: RecordKind, rows: Sequence[CandidateRow]) -> Iterator[tuple[Expectation, dict[str, Any]]]:
        """Each rule with its result, in the order of importance."""
        frame = _frame(self._columns(kind), rows)
        asked = [e for e in self._suites[kind].expectations if _is_of_weight(e, frame)]
        results = {one.expectation_config.meta["rule"]: one.result for one in self._results(kind, frame, asked)}
        for expectation in self._suites[kind].expectations:
            result = results.get(expectation.meta.rule, {}) if expectation in asked else _NOTHING_TO_JUDGE
            if "unexpected_index_list" not in result:
                raise SuiteError(
                    f"{SUITE_FILES[kind]}: rule {expectation.meta.rule} cannot be evaluated: "
                    "`enrollment-crm rules check` says why."
                )
            yield expectation, result

    def _results(self, kind: RecordKind, frame: pd.DataFrame, asked: Sequence[Expectation]) -> Sequence[Any]:
        batch = self._definitions[kind].get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite(name=kind.value, expectations=[self._rules[kind][e.meta.rule] for e in asked])
        outcome = batch.validate(suite, result_format=_RESULT_FORMAT, expectation_parameters=self._parameters)
        return list(outcome.results)


def _is_of_weight(expectation: Expectation, frame: pd.DataFrame) -> bool:
    """Whether the rule has a value to judge: one row of the form fills half of the columns, and each rule costs 10 ms.

    Great Expectations passes over what is absent, unless absence is what the rule is about.
    """
    return expectation.type in _ABOUT_ABSENCE or bool(frame[expectation.column].notna().any())


def _frame(names: Iterable[str], rows: Sequence[CandidateRow]) -> pd.DataFrame:
    columns: dict[str, Any] = {_ROW_ID: pd.array([row.id for row in rows], dtype="int64")}
    for name in names:
        columns[name] = pd.array([row.values.get(name) for row in rows], dtype=_TEXT)
    return pd.DataFrame(columns)


def _rejection(row_id: int, failed: list[Expectation]) -> Rejection:
    return Rejection(
        row_id=row_id,
        rule=failed[0].meta.rule,
        column=failed[0].column,
        reason=" ".join(expectation.meta.sentence for expectation in failed),
        rules=tuple(expectation.meta.rule for expectation in failed),
    )
