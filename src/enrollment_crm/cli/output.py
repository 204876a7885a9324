"""What commands print: tables where people read, JSON where programs do, progress while they wait."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

Result = TypeVar("Result")

_WIDTH_OF_A_FILE = 130

#: Progress and remarks go here, so that the standard output holds the result alone.
REMARKS = Console(stderr=True)


@contextmanager
def steps(*, quiet: bool) -> Iterator["StepRunner"]:
    """A runner of named steps that shows which one is at work and how long each took."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=REMARKS, disable=quiet or not REMARKS.is_terminal) as progress:
        yield StepRunner(progress)


class StepRunner:
    """Runs one step after the other, each with its line in the progress display."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, name: str, work: Callable[[], Result]) -> Result:
        """Do the work and give its result."""
        row = self._progress.add_task(name, total=1)
        result = work()
        self._progress.update(row, completed=1)
        return result


def print_counts(title: str, counts: Mapping[str, Mapping[str, int]], *, as_json: bool) -> None:
    """Counts by step, as a table or as JSON."""
    if as_json:
        typer.echo(json.dumps(counts))
        return
    table = Table(title=title, title_justify="left", show_header=True)
    table.add_column("Step")
    table.add_column("Counts")
    for step, numbers in counts.items():
        said = ", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in numbers.items() if number)
        table.add_row(step, said or "nothing to do")
    Console().print(table)


def print_rows(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    console: Console | None = None,
    at_most: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """A table for people; what is no terminal gets lines wide enough not to break words.

    Args:
        at_most: letters on a line of a column, by its name: what it leaves goes to the others.
    """
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE, stderr=console.stderr)
    table = Table(title=title, title_justify="left", show_lines=True)
    for column in columns:
        table.add_column(column, overflow="fold", max_width=at_most.get(column))  # a long word is shown whole
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
