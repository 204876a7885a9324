"""``enrollment-crm sources``: try each source, and propose how an unknown file is read."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape

from enrollment_crm.bootstrap import clock_of, programs_of, sources_of, trials_of, written_field_maps_of
from enrollment_crm.cli.check_setup import print_checks
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, read_instant
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.encodings import assumed_in_words
from enrollment_crm.domain.mapping_proposals import MappingProposal, columns_known, propose_mapping
from enrollment_crm.domain.setup_checks import has_problem
from enrollment_crm.domain.sources import Layout
from enrollment_crm.settings import Settings
from enrollment_crm.sources.dropped_files import read_dropped
from enrollment_crm.sources.encodings import is_encoding
from enrollment_crm.sources.feed_errors import FeedError
from enrollment_crm.workflows.high_water_marks import read_again
from enrollment_crm.workflows.source_checks import check_sources

#: Enough to meet the values of a file, and little enough for any memory.
_ROWS_LOOKED_AT = 10_000
_MOST_VALUES_SHOWN = 20
_WITHOUT_ZONE = "America/New_York"
#: No source has rows that were changed before.
_EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
    The sources of `config/sources/`: where rows come from, and how their columns and values are read.

    `check` tries each one and says what is wrong; `map` proposes the file for a source that is new; `reread` asks one
    again for all that it has.
    """,
)

SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="This one alone: a file name in config/sources/.")
]
Kind = Annotated[RecordKind | None, typer.Option("--kind", help="What its rows are about. Default: what fits best.")]
Sheet = Annotated[str, typer.Option("--sheet", metavar="NAME", help="Sheet of a workbook that has several.")]
EncodingName = Annotated[
    str,
    typer.Option("--encoding", metavar="NAME", help="Of a text that is taken for the wrong one: shift_jis, gb18030."),
]
Export = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV, TSV, JSON, JSON Lines or XLSX."
    ),
]


@app.command()
def check(*, source: SourceName = None, as_json: AsJson = False) -> None:
    """Try each source: log in and ask for one page, read what waits in its drop folder, look at its secrets.

    Each line says `ok`, `warning`, `problem` or `not asked` (the source is not set up), and what to do. Columns that
    are not there and values without a meaning are named; nothing is kept, and no file is moved.

    Exit code 1 where there is a problem.
    """
    trials = trials_of(Settings())
    if source is not None and source not in trials:
        known = ", ".join(trials)
        raise typer.BadParameter(
            f"it must be one of {known}: the files of config/sources/*.yml.", param_hint="--source"
        )
    found = check_sources([one for name, one in trials.items() if source in (None, name)])
    if as_json:
        typer.echo(json.dumps({"problem": has_problem(found), "checks": [asdict(one) for one in found]}))
    else:
        print_checks(found)
    raise typer.Exit(1 if has_problem(found) else 0)


@app.command()
def reread(
    *,
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="A file name in config/sources/.")],
    since: Annotated[
        datetime | None,
        typer.Option("--since", parser=read_instant, metavar="INSTANT", help="RFC 3339, with a zone. Default: all."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the next pull of a source ask once more for what it was asked for before, by its high-water mark.

    For a query that gives more rows or columns than before, or that left some out. Rows that come again are recognised.
    """
    settings = Settings()
    sources = sources_of(settings)
    with_mark = [name for name, one in sources.items() if one.high_water]
    if source not in with_mark:
        known = f"one of {', '.join(with_mark)}" if with_mark else "one with high_water, and none has it"
        raise typer.BadParameter(f"it must be {known}: others give all rows at each pull.", param_hint="--source")
    start = since or _EVERYTHING
    with crm_database(settings) as engine:
        is_lowered = read_again(engine, source, since=start, now=clock_of(settings)())
    if as_json:
        typer.echo(json.dumps({"source": source, "since": start.isoformat(), "lowered": is_lowered}))
    elif is_lowered:
        typer.echo(f"The next pull of {source} asks for all that has changed since {start:%d %B %Y, %H:%M} UTC.")
    else:
        typer.echo(f"{source} was not read so far yet: its next pull asks for that anyway.")


@app.command("map")
def map_(
    file: Export, *, kind: Kind = None, sheet: Sheet = "", encoding: EncodingName = "", as_json: AsJson = False
) -> None:
    """Propose the file of `config/sources/` that reads an unknown export, and show what has no meaning yet.

    The proposal is YAML on the standard output. It goes by what the configured sources call things: look at each
    line before you keep it. Values without a meaning are shown with how often they occur; nothing is kept.

    Exit code 1 where the file cannot be read or holds no row.
    """
    settings = Settings()
    if encoding and not is_encoding(encoding):
        raise typer.BadParameter("there is none of that name.", param_hint="--encoding")
    known = list(written_field_maps_of(settings).values())
    try:
        dropped = read_dropped(file, Layout(sheet=sheet, encoding=encoding, columns=columns_known(known)))
        rows = list(islice(dropped.rows, _ROWS_LOOKED_AT))
    except FeedError as error:
        raise _wrong(str(error)) from None
    if not rows:
        raise _wrong(f"{file.name} holds no row: ask for an export with some.")
    proposal = propose_mapping(rows, known, kind=kind, programs=programs_of(settings))
    said = encoding or dropped.assumed_encoding
    if as_json:
        typer.echo(json.dumps(asdict(proposal) | {"encoding": said, "assumed": bool(dropped.assumed_encoding)}))
        return
    content = _as_file(proposal, said)
    typer.echo(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110), nl=False)
    if dropped.assumed_encoding:
        REMARKS.print(assumed_in_words([dropped.assumed_encoding]), highlight=False)
    _print_open_ends(proposal)


def _wrong(words: str) -> typer.Exit:
    REMARKS.print(f"[bold red]Error:[/] {escape(words)}", highlight=False)
    return typer.Exit(1)


def _as_file(proposal: MappingProposal, encoding: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "kind": proposal.kind.value,
        "transport": "drop_folder",
        **({"encoding": encoding} if encoding else {}),
        "time_zone": _WITHOUT_ZONE,
        "fields": {name: one[0] if len(one) == 1 else list(one) for name, one in proposal.fields.items()},
    }
    maps = {name: dict(values) for name, values in proposal.value_maps.items()}
    terms = maps.pop("entry_term", {})
    return content | ({"value_maps": maps} if maps else {}) | ({"terms": terms} if terms else {})


def _print_open_ends(proposal: MappingProposal) -> None:
    if proposal.missing:
        REMARKS.print(f"[bold]No column was found for:[/] {escape(', '.join(proposal.missing))}", highlight=False)
    if proposal.unread:
        REMARKS.print(f"[bold]Nothing reads:[/] {escape(', '.join(proposal.unread))}", highlight=False)
    rows = [
        (name, value, str(count))
        for name, said in proposal.unmapped.items()
        for value, count in list(said.items())[:_MOST_VALUES_SHOWN]
    ]
    if rows:
        print_rows("Values without a meaning", ("Field", "Value", "Rows"), rows, console=REMARKS)
        REMARKS.print("Give each one under value_maps (terms: under terms), or leave it to the quarantine.")
