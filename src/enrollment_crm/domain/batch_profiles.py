"""Profiles of batches: counts by field and known value, and how far a batch is from the ones before it.

What is counted names nobody: values of closed lists and terms by name, everything else as one number.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from enrollment_crm.domain.canonical_rows import CANONICAL_FIELDS, CanonicalRow, RecordKind
from enrollment_crm.domain.field_maps import choices_of
from enrollment_crm.domain.terms import EntryTerm

#: A batch is compared with the ones before it once there are this many: two or three say nothing of what is usual.
LEAST_HISTORY = 5
#: Batches that count as the past.
LONGEST_HISTORY = 20

_BLANK, _OTHER = "(blank)", "(other)"
_PLAIN_MEASURES = ("rows", "rows_against_usual", "rejected_share", "newest_row_age_in_hours")


@dataclass(frozen=True)
class BatchProfile:
    """What is kept of a batch to compare later ones with."""

    rows: int
    rejected: int
    #: Canonical field -> rows that say nothing there.
    blank: Mapping[str, int]
    #: Canonical field -> value of a closed list, a term, ``(blank)`` or ``(other)`` -> rows.
    values: Mapping[str, Mapping[str, int]]
    #: When the newest row happened by the source's clock; None: no row says.
    newest: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """For the database; the newest instant is of use for this batch only, and left out."""
        return {"rows": self.rows, "rejected": self.rejected, "blank": dict(self.blank), "values": dict(self.values)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "BatchProfile":
        """As it was kept."""
        return cls(kept["rows"], kept["rejected"], kept["blank"], kept["values"])


def measures_known(kind: RecordKind) -> tuple[str, ...]:
    """The names of everything that a rule about a whole batch can ask of."""
    fields = CANONICAL_FIELDS[kind]
    listed = [name for name in fields if name == "entry_term" or choices_of(kind, name)]
    return (
        *_PLAIN_MEASURES,
        *(f"blank_share.{name}" for name in fields),
        *(f"blank_share_change.{name}" for name in fields),
        *(f"distance.{name}" for name in listed),
    )


def profile_of(
    kind: RecordKind, rows: Sequence[CanonicalRow], *, measures: Iterable[str], rejected: int
) -> BatchProfile:
    """Counts of a batch, of no more fields than the measures need."""
    asked = [name.partition(".") for name in measures]
    blanks = {field for measure, _, field in asked if measure.startswith("blank_share")}
    listed = {field for measure, _, field in asked if measure == "distance"}
    columns = {field: Counter(row.get(field) for row in rows) for field in blanks | listed}
    needs_age = any(measure == "newest_row_age_in_hours" for measure, *_ in asked)
    return BatchProfile(
        rows=len(rows),
        rejected=rejected,
        blank={field: columns[field][None] for field in sorted(blanks)},
        values={field: _by_known_value(kind, field, columns[field]) for field in sorted(listed)},
        newest=_newest(rows) if needs_age else None,
    )


def _by_known_value(kind: RecordKind, field: str, column: Mapping[str | None, int]) -> dict[str, int]:
    known: Counter[str] = Counter()
    choices = choices_of(kind, field)
    for value, rows in column.items():
        if value is None:
            known[_BLANK] += rows
        else:
            known[value if value in choices or (field == "entry_term" and _is_term(value)) else _OTHER] += rows
    return dict(sorted(known.items()))


def _is_term(value: str) -> bool:
    try:
        return str(EntryTerm.parse(value)) == value
    except ValueError:
        return False


def _newest(rows: Sequence[CanonicalRow]) -> datetime | None:
    instants = (_instant(text) for row in rows if (text := row.get("occurred_at")))
    return max((one for one in instants if one is not None), default=None)


def _instant(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else None


def measures_of(
    profile: BatchProfile, history: Sequence[BatchProfile], *, volume: int, volumes: Sequence[int], now: datetime
) -> dict[str, float]:
    """How the batch stands, and how far it is from the past; what needs a past has no value before there is one.

    Args:
        profile: of the batch.
        history: of the batches of the source before it.
        volume: rows of the source in this run so far, with this batch.
        volumes: the same of the runs before.
        now: the instant that the age of the newest row is counted from.
    """
    measures: dict[str, float] = {"rows": profile.rows, "rejected_share": profile.rejected / (profile.rows or 1)}
    if profile.newest is not None:
        measures["newest_row_age_in_hours"] = (now - profile.newest).total_seconds() / 3600
    if len(volumes) >= LEAST_HISTORY and median(volumes):
        measures["rows_against_usual"] = volume / median(volumes)
    for field, blank in profile.blank.items():
        measures[f"blank_share.{field}"] = blank / (profile.rows or 1)
    if len(history) >= LEAST_HISTORY:
        measures |= _against_history(profile, history)
    return measures


def _against_history(profile: BatchProfile, history: Sequence[BatchProfile]) -> dict[str, float]:
    measures = {}
    for field, blank in profile.blank.items():
        past = [one for one in history if field in one.blank]
        if len(past) >= LEAST_HISTORY:
            usual = sum(one.blank[field] for one in past) / (sum(one.rows for one in past) or 1)
            measures[f"blank_share_change.{field}"] = blank / (profile.rows or 1) - usual
    for field, values in profile.values.items():
        counted = [one.values[field] for one in history if field in one.values]
        if len(counted) >= LEAST_HISTORY:
            pooled: Counter[str] = Counter()
            for one in counted:
                pooled.update(one)
            measures[f"distance.{field}"] = _distance(values, pooled)
    return measures


def _distance(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Total variation distance: 0 for the same shares, 1 for nothing in common."""
    first, second = sum(one.values()) or 1, sum(other.values()) or 1
    shares = (abs(one.get(value, 0) / first - other.get(value, 0) / second) for value in {*one, *other})
    return sum(shares) / 2
