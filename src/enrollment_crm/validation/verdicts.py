"""What goes into validation and what comes out of it: ids and words, never a person's values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from enrollment_crm.domain.batches import Severity


class CandidateRow(NamedTuple):
    """A row as ``translate`` makes it, under the id by which the verdict will speak of it."""

    id: int
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class Rejection:
    """Why a row is not taken in: the most important rule it fails, and in ``reason`` all of them in words."""

    row_id: int
    rule: str
    column: str
    reason: str
    #: All rules that the row fails, the most important first.
    rules: tuple[str, ...]


@dataclass(frozen=True)
class RuleCount:
    """How many values of a batch a rule looked at (blank ones are not asked), and how many failed it."""

    rule: str
    column: str
    evaluated: int
    failed: int
    severity: Severity = Severity.QUARANTINE


@dataclass(frozen=True)
class Verdict:
    """The outcome of one batch: every row is either accepted or rejected, in the order in which it came."""

    accepted: tuple[int, ...]
    rejected: tuple[Rejection, ...]
    counts: tuple[RuleCount, ...]
    #: Why the batch is to be stopped, a sentence a rule; empty: nothing of it says so.
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchVerdict:
    """What the rules about batches say of one: counts of 0 and 1, and sentences without a value of a row."""

    counts: tuple[RuleCount, ...] = ()
    warnings: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
