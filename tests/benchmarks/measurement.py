"""One figure of a benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """A value beside its reference, measured in the same run: quote the ratio, machines differ."""

    name: str
    value: float
    unit: str
    reference: float | None
    ratio: float | None
    goal: str
    ok: bool
