"""What goes into validation and what comes out of it: ids and words, never a person's values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CandidateRow:
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


@dataclass(frozen=True)
class Verdict:
    """The outcome of one batch: every row is either accepted or rejected, in the order in which it came."""

    accepted: tuple[int, ...]
    rejected: tuple[Rejection, ...]
    counts: tuple[RuleCount, ...]
