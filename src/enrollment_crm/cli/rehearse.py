"""``enrollment-crm rehearse``: a whole admission cycle in seconds, under a virtual clock."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.output import REMARKS
from enrollment_crm.cli.rehearsal_table import print_calendar
from enrollment_crm.cli.rehearsal_worker import open_stage, perform, stage_on
from enrollment_crm.domain.scenarios import ScenarioInvalid
from enrollment_crm.settings import Settings

#: Starting another process costs seconds: fewer scenarios than this are rehearsed by one.
_WORTH_A_PROCESS = 8
_MOST_PROCESSES = 4

Json = dict[str, object]


def rehearse(
    path: Annotated[
        Path, typer.Argument(exists=True, metavar="SCENARIO.json|FOLDER", help="A scenario, or a folder of them.")
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", file_okay=False, help="Write one result a scenario into this folder."),
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="Print a calendar that a person reads, not JSON.")] = False,
) -> None:
    """Rehearse a cycle: who would get which message at which instant, and what would be withheld and why.

    Runs the real workflows on a real database under a virtual clock that jumps from one instant to the next; the mail
    is recorded and not sent. It works in a schema of its own, which is dropped at the end: nothing that is really
    there is read or changed. Prints one JSON object a scenario (a list for a folder), or writes them to `--out`.

    The format of scenarios: docs/how-to/rehearse-a-cycle.md. Exit codes: 1 where a scenario cannot be rehearsed.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise typer.BadParameter(f"{path} holds no .json file.", param_hint="SCENARIO.json|FOLDER")
    settings = Settings()
    with crm_database(settings, upgrade=False) as engine:
        url = engine.url.render_as_string(hide_password=False)
        results = list(track(_results(files, url), "Rehearsing", len(files), console=REMARKS))
    broken = [result for result in results if "error" in result]
    for result in broken:
        REMARKS.print(f"[bold red]Error:[/] {result['error']}", highlight=False)
    sound = [(file, result) for file, result in zip(files, results, strict=True) if "error" not in result]
    if out is not None:
        _write(out, sound)
    elif table:
        for _, result in sound:
            print_calendar(result)
    else:
        shown = [result for _, result in sound]
        typer.echo(json.dumps(shown if path.is_dir() else shown[0] if shown else None, indent=2, ensure_ascii=False))
    if broken:
        raise typer.Exit(1)


def _results(files: Sequence[Path], url: str) -> Iterator[Json]:
    """The result of each file in order; one that cannot be rehearsed gives its ``error``."""
    processes = min(_MOST_PROCESSES, os.cpu_count() or 1)
    if processes == 1 or len(files) < _WORTH_A_PROCESS:
        with stage_on(url) as stage:
            yield from (_result(stage.perform, file) for file in files)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=open_stage, initargs=(url,)) as pool:
        yield from pool.map(_perform, files)


def _perform(file: Path) -> Json:
    return _result(perform, file)


def _result(perform_file: Callable[[Path], Json], file: Path) -> Json:
    try:
        return perform_file(file)
    except ScenarioInvalid as error:
        return {"error": str(error)}


def _write(out: Path, results: Sequence[tuple[Path, Json]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for file, result in results:
        (out / file.name).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    REMARKS.print(f"{len(results)} results in {out}")
