"""``make chaos``: what is lost, sent twice or left uncertain, whatever dies. A table, and ``build/chaos.json``.

``CHAOS_SIZE=0.1`` is a trial of a tenth; 1, the default, kills more than a thousand workers.
"""

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from tests.benchmarks.measurement import Measurement
from tests.chaos.office import ChaosOffice, Outcome, chaos_office
from tests.chaos.races import race_answers, race_reminders
from tests.chaos.scenarios import FROZEN, Scenario, scenarios

_RESULTS = Path("build/chaos.json")
_ROUNDS_OF_A_RACE = 5_000
#: The table is read in logs, too.
_WIDTH = 140


def main() -> None:
    """Play all, print, write; the exit code says whether a promise was broken."""
    size, rows = float(os.environ.get("CHAOS_SIZE", "1")), []
    with tempfile.TemporaryDirectory(prefix="enrollment-crm-chaos-") as folder, chaos_office(Path(folder)) as office:
        table, killed = _table(), 0
        for scenario in track([*scenarios(), FROZEN], description="Chaos"):
            outcome = scenario.play(office, scenario, size)
            killed += outcome.report.killed
            of_it = list(rows_of(scenario, outcome))
            rows += of_it
            _add(table, scenario, outcome, is_kept=all(one.ok for one in of_it))
        rows += list(races(office, max(20, round(_ROUNDS_OF_A_RACE * size))))
    rows.append(_row("workers killed", killed, "kills", ">= 1,000 in a full run", ok=size < 1 or killed >= 1_000))
    console = Console(width=_WIDTH)
    console.print(table)
    console.print(f"{killed} workers killed. An unsubscription against a claim: {_races_in_words(rows)}.")
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2) + "\n")
    sys.exit(0 if all(row.ok for row in rows) else 1)


def rows_of(scenario: Scenario, outcome: Outcome) -> Iterator[Measurement]:
    """The promises, as figures with their goals."""
    yield _row(f"{scenario.title}: lost", outcome.lost, "messages", "0", ok=outcome.lost == 0)
    yield _row(
        f"{scenario.title}: under two Message-IDs", outcome.several_ids, "people", "0", ok=not outcome.several_ids
    )
    duplicates, unknown = float(outcome.duplicates), float(outcome.unknown)
    name = f"{scenario.title}: sent twice"
    if scenario is FROZEN:
        limit = float(outcome.report.frozen)
        yield Measurement(name, duplicates, "messages", limit, duplicates / max(limit, 1), "measured", ok=True)
    elif scenario.has_log:
        yield _row(name, duplicates, "messages", "0", ok=not duplicates)
    else:
        goal = "<= outcomes that nobody recorded"
        yield Measurement(
            name, duplicates, "messages", unknown, duplicates / max(unknown, 1), goal, duplicates <= unknown
        )
    goal = "0" if scenario.has_log else "shown to operations"
    ok = not scenario.has_log or not outcome.uncertain
    yield _row(f"{scenario.title}: uncertain", outcome.uncertain, "messages", goal, ok=ok)


def races(office: ChaosOffice, rounds: int) -> Iterator[Measurement]:
    """The unsubscription against both ways to claim."""
    for what, play in (("a reminder", race_reminders), ("an answer", race_answers)):
        result = play(office, rounds)
        name = f"unsubscribed while {what} is claimed: claims after it, in {result.rounds:,} rounds"
        yield Measurement(name, result.claimed_after, "claims", result.claimed, None, "0", ok=result.claimed_after == 0)


def _row(name: str, value: float, unit: str, goal: str, *, ok: bool) -> Measurement:
    return Measurement(name, value, unit, None, None, goal, ok)


def _races_in_words(rows: list[Measurement]) -> str:
    found = [row for row in rows if row.unit == "claims"]
    return "; ".join(f"{row.name}: {row.value:g} (claimed before it: {row.reference:g})" for row in found)


def _table() -> Table:
    table = Table(title="Chaos", title_justify="left")
    for name in ("What happened", "People", "Killed", "Frozen", "Unknown", "Lost", "Twice", "Uncertain", "Kept"):
        table.add_column(name)
    return table


def _add(table: Table, scenario: Scenario, outcome: Outcome, *, is_kept: bool) -> None:
    figures = (
        outcome.people, outcome.report.killed, outcome.report.frozen, outcome.unknown, outcome.lost,
        outcome.duplicates, outcome.uncertain,
    )  # fmt: skip
    table.add_row(scenario.title, *(f"{one:,}" for one in figures), "yes" if is_kept else "NO")


if __name__ == "__main__":
    main()
