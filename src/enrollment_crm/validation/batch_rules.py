"""Rules about whole batches: Great Expectations looks at one row of measures, and at no row of a person."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from great_expectations import ExpectationSuite
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.registry import get_expectation_impl

from enrollment_crm.domain.batches import Severity
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.validation.suites import SUITE_FILES, Expectation, Suite, SuiteError
from enrollment_crm.validation.verdicts import BatchVerdict, RuleCount


class BatchRules:
    """The rules of the suites about batches, each with the smallest batch that it looks at."""

    def __init__(self, suites: Mapping[RecordKind, Suite], data_source: Any) -> None:
        """Reads the rules.

        Args:
            suites: of each kind of record.
            data_source: Great Expectations' source of data frames.

        Raises:
            SuiteError: a rule cannot be used.
        """
        self._rules = {
            kind: [(one, expectation_of(one, SUITE_FILES[kind])) for one in suite.batch_expectations]
            for kind, suite in suites.items()
        }
        self._batch = data_source.add_dataframe_asset("measures").add_batch_definition_whole_dataframe("measures")

    def measures(self, kind: RecordKind, *, rows: int) -> tuple[str, ...]:
        """The measures that rules ask of a batch of so many rows; none: it is too small for every rule."""
        return tuple(sorted({one.column for one, _ in self._rules[kind] if one.meta.minimum_rows <= rows}))

    def judge(self, kind: RecordKind, measures: Mapping[str, float], *, rows: int) -> BatchVerdict:
        """What the rules say of a batch; a rule whose measure has no value yet is not asked.

        Raises:
            SuiteError: a rule could not be evaluated.
        """
        asked = [
            (one, rule) for one, rule in self._rules[kind] if one.meta.minimum_rows <= rows and one.column in measures
        ]
        if not asked:
            return BatchVerdict()
        failed = self._failed(kind, [rule for _, rule in asked], measures)
        counts, said = [], dict[Severity, list[str]]()
        for one, _ in asked:
            fails = one.meta.rule in failed
            counts.append(RuleCount(one.meta.rule, one.column, 1, int(fails), one.batch_severity))
            if fails:
                sentence = f"{one.meta.sentence} ({one.column} is {measures[one.column]:.4g})"
                said.setdefault(one.batch_severity, []).append(sentence)
        warnings, stops = said.get(Severity.WARN, []), said.get(Severity.STOP, [])
        return BatchVerdict(tuple(counts), tuple(warnings), tuple(stops))

    def try_out(self, kind: RecordKind) -> list[str]:
        """Why rules cannot be evaluated, a sentence a rule, found out on made-up measures."""
        rules = [rule for _, rule in self._rules[kind]]
        results = self._results(kind, rules, {one.column: 1 for one, _ in self._rules[kind]}) if rules else []
        return [cannot_be_evaluated(kind, one) for one in results if not _is_evaluated(one)]

    def _failed(self, kind: RecordKind, rules: list[ColumnMapExpectation], measures: Mapping[str, float]) -> set[str]:
        results = self._results(kind, rules, measures)
        for result in results:
            if not _is_evaluated(result):
                raise SuiteError(cannot_be_evaluated(kind, result))
        return {result.expectation_config.meta["rule"] for result in results if not result.success}

    def _results(
        self, kind: RecordKind, rules: list[ColumnMapExpectation], measures: Mapping[str, float]
    ) -> Sequence[Any]:
        frame = pd.DataFrame({name: [float(value)] for name, value in measures.items()})
        suite = ExpectationSuite(name=f"{kind.value} batches", expectations=rules)
        return list(self._batch.get_batch({"dataframe": frame}).validate(suite).results)


def _is_evaluated(result: Any) -> bool:
    return not result.exception_info.get("raised_exception") and "element_count" in result.result


def cannot_be_evaluated(kind: RecordKind, result: Any) -> str:
    """File, rule and Great Expectations' own words; not for rows of people, whose values can be in those words."""
    told = [one for one in (result.exception_info, *result.exception_info.values()) if isinstance(one, dict)]
    why = next((one["exception_message"] for one in told if one.get("exception_message")), "it gives no result")
    rule = result.expectation_config.meta["rule"]
    return f"{SUITE_FILES[kind]}: rule {rule} cannot be evaluated, check its kwargs: {' '.join(why.split())}"


def expectation_of(expectation: Expectation, file_name: str) -> ColumnMapExpectation:
    """The expectation as Great Expectations knows it.

    Raises:
        SuiteError: it knows no such type, or the type does not fit; the sentence names file, rule and remedy.
    """
    where = f"{file_name}: rule {expectation.meta.rule}"
    try:
        rule_type = get_expectation_impl(expectation.type)
        if not issubclass(rule_type, ColumnMapExpectation):
            raise SuiteError(f"{where}: {expectation.type} judges no single rows: use expect_column_values_...")
        return rule_type(**expectation.arguments, meta=expectation.meta.model_dump(mode="json"))
    except GreatExpectationsError as error:
        raise SuiteError(f"{where}: {error}: choose one from greatexpectations.io/expectations.") from None
    except ValueError as error:
        if isinstance(error, SuiteError):
            raise
        raise SuiteError(f"{where}: {' '.join(str(error).split())}") from None
