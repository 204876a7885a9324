"""Trials of the rules of validation: what they would make of rows that are known, before they judge new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from enrollment_crm.domain.batches import Severity
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.value_overrides import with_overrides
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.rule_trials import newest_accepted_rows
from enrollment_crm.storage.value_overrides import value_overrides
from enrollment_crm.validation.suites import SuiteError
from enrollment_crm.validation.verdicts import CandidateRow
from enrollment_crm.workflows.translation import meant_by

if TYPE_CHECKING:  # importing it for real costs seconds
    from enrollment_crm.validation.batches import Validator


@dataclass(frozen=True)
class RuleTrial:
    """What one rule says of rows that were accepted. Counts only."""

    kind: RecordKind
    rule: str
    column: str
    severity: Severity
    #: Rows that were looked at, and those of them that say something in the field.
    rows: int
    evaluated: int
    failed: int


def try_rules(
    engine: Engine, validator: "Validator", field_maps: Mapping[str, FieldMap], *, rows: int
) -> list[RuleTrial]:
    """Ask each rule about the newest accepted rows of its kind; nothing is kept.

    Raises:
        SuiteError: a rule cannot be evaluated; the sentence tells of all of them.
    """
    problems = [problem for kind in RecordKind for problem in validator.try_out(kind)]
    if problems:
        raise SuiteError(" ".join(problems))
    return [trial for kind in RecordKind for trial in _of_kind(engine, validator, field_maps, kind, rows)]


def _of_kind(
    engine: Engine, validator: "Validator", field_maps: Mapping[str, FieldMap], kind: RecordKind, most: int
) -> list[RuleTrial]:
    with transaction(engine) as connection:
        meant = with_overrides(field_maps, value_overrides(connection))
        known = newest_accepted_rows(connection, kind=kind.value, limit=most)
    rows = [CandidateRow(row.id, said) for row, said in meant_by(known, meant, {})]
    counts = validator.validate(kind, rows).counts
    return [RuleTrial(kind, one.rule, one.column, one.severity, len(rows), one.evaluated, one.failed) for one in counts]
