"""``enrollment-crm intake``: collect, validate and load, as the intake DAGs do."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from enrollment_crm.bootstrap import feeds_of, field_maps_of, loaders_of, secret_of, sources_of, validator_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, AsOf, instant_of_command
from enrollment_crm.cli.output import REMARKS, print_counts, steps
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feed_errors import FeedError
from enrollment_crm.sources.feeds import Feed, file_feed
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.inbox import Collected, collect_what_comes
from enrollment_crm.workflows.loading import Loaded

File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="Read this export instead of the configured sources. It stays where it is; reading it twice is once.",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--source", help="With --file: the field map that reads it, a file name in config/sources/."),
]
DryRunOfIntake = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Keep nothing: judge what already waits in the inbox, and only count what the sources would deliver.",
    ),
]


def intake(
    *,
    file: File = None,
    source: Source = None,
    dry_run: DryRunOfIntake = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Collect rows from every source, validate them, and load what was accepted.

    Rejected rows go to the quarantine with a reason in words: rows in = accepted + quarantined, and rows that came
    again are counted as known. A batch that fails a rule of severity `stop` waits for `enrollment-crm batches release`.
    Nothing is sent. Next: `enrollment-crm route`, then `enrollment-crm send`.

    A source or a file that cannot be read keeps nothing else from being taken in; it is named, and the exit code is 1.
    """
    if source and not file:
        raise typer.BadParameter(
            "it says how to read a --file: name one, or leave it out to read every configured source.",
            param_hint="--source",
        )
    settings = Settings()
    now = instant_of_command(as_of, settings, dry_run=dry_run)
    field_maps = field_maps_of(settings)
    loaders = loaders_of(settings)
    given = _feed_of(file, source, settings) if file else None
    counts: dict[str, dict[str, int]] = {}
    problems: list[FeedError | OSError] = []
    with crm_database(settings) as engine, steps(quiet=as_json) as run:
        validator = run("Preparing the rules", partial(validator_of, settings))
        for kind in [given.kind] if given else list(RecordKind):
            feeds = [given] if given else feeds_of(settings, kind)
            work: dict[str, Callable[..., Collected | Validated | Loaded]] = {
                "collect": partial(_collect, engine, feeds, problems),
                "validate": partial(
                    validate_pending, engine, validator, field_maps, kind=kind, secret=secret_of(settings)
                ),
                "load": partial(loaders[kind], engine, field_maps),
            }
            for step, do in work.items():
                name = f"{step} {kind.value}s"
                counts[name] = dataclasses.asdict(run(name.capitalize(), partial(do, now=now, dry_run=dry_run)))
    print_counts("Intake", counts, as_json=as_json)
    for problem in problems:
        REMARKS.print(f"[bold red]Error:[/] {escape(_in_words(problem))}", highlight=False)
    raise typer.Exit(1 if problems else 0)


def _collect(
    engine: Engine, feeds: Sequence[Feed], problems: list[FeedError | OSError], *, now: datetime, dry_run: bool
) -> Collected:
    collected, failures = collect_what_comes(engine, feeds, now=now, dry_run=dry_run)
    problems += failures
    return collected


def _in_words(problem: FeedError | OSError) -> str:
    if isinstance(problem, FeedError):
        return str(problem)
    return f"{problem.filename} cannot be read ({problem.strerror}): give the pipeline the right to."


def _feed_of(file: Path, source: str | None, settings: Settings) -> Feed:
    sources = sources_of(settings)
    if source is None or source not in sources:
        raise typer.BadParameter(f"--source must be one of {', '.join(sources)}.", param_hint="--source")
    one = sources[source]
    return file_feed(source, one.field_map.kind, file=file, layout=one.layout)
