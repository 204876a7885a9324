"""``make bench``: every benchmark beside its reference, as a table and as ``build/bench.json``."""

import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.benchmarks import calendar, intake, latency, messages, sending, webhooks
from tests.benchmarks.measurement import Measurement

_RESULTS = Path("build/bench.json")


def main() -> None:
    """Run all, print, write. It measures and does not judge: ``ok`` says what reached its goal."""
    rows = [
        *messages.measure(),
        *calendar.measure(),
        *intake.measure(),
        *webhooks.measure(),
        *sending.measure(),
        *latency.measure(),
    ]
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2) + "\n")
    Console().print(_table(rows))


def _table(rows: list[Measurement]) -> Table:
    table = Table(title="Benchmarks", title_justify="left")
    for name in ("What", "Value", "Reference", "Ratio", "Goal", "Reached"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            row.name,
            f"{row.value:.3g} {row.unit}",
            "" if row.reference is None else f"{row.reference:.3g} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.goal,
            "yes" if row.ok else "no",
        )
    return table


if __name__ == "__main__":
    main()
