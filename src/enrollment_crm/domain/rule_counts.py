"""Rules over time: how many rows each rule looked at and rejected, day by day, and where that is going."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: A share of failures that changes by less than this, in either direction, is steady.
_STEADY = 0.25
_LEVELS = "▁▂▃▄▅▆▇█"


class Trend(StrEnum):
    """Where the share of failures of a rule goes: the newer half of the days beside the older half."""

    #: Nothing failed.
    NONE = "none"
    #: By a quarter or more above the older half.
    RISING = "rising"
    #: By a quarter or more below the older half.
    FALLING = "falling"
    #: Neither.
    STEADY = "steady"


@dataclass(frozen=True)
class RuleDay:
    """One rule of one source on one day."""

    day: date
    evaluated: int
    failed: int

    @property
    def share(self) -> float:
        """Of what was looked at, how much failed."""
        return self.failed / self.evaluated if self.evaluated else 0.0


@dataclass(frozen=True)
class RuleHistory:
    """One rule of one source over the days on which it was asked, oldest first. Counts only."""

    source: str
    kind: str
    rule: str
    column: str
    severity: str
    days: tuple[RuleDay, ...]

    @property
    def evaluated(self) -> int:
        """Over all days."""
        return sum(one.evaluated for one in self.days)

    @property
    def failed(self) -> int:
        """Over all days."""
        return sum(one.failed for one in self.days)

    @property
    def trend(self) -> Trend:
        """Where the share of failures goes."""
        if not self.failed:
            return Trend.NONE
        middle = len(self.days) // 2
        before, after = _share(self.days[:middle]), _share(self.days[middle:])
        if not middle or abs(after - before) < _STEADY * before:
            return Trend.STEADY
        return Trend.RISING if after > before else Trend.FALLING

    @property
    def sparkline(self) -> str:
        """The share of failures, a character a day; the highest of them is the highest day."""
        highest = max((one.share for one in self.days), default=0.0)
        if not highest:
            return _LEVELS[0] * len(self.days)
        return "".join(_LEVELS[round(one.share / highest * (len(_LEVELS) - 1))] for one in self.days)


def _share(days: Sequence[RuleDay]) -> float:
    evaluated = sum(one.evaluated for one in days)
    return sum(one.failed for one in days) / evaluated if evaluated else 0.0
