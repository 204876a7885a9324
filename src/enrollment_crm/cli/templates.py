"""`enrollment-crm templates`: check the emails and look at them."""

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from enrollment_crm.bootstrap import clock_of
from enrollment_crm.mail.contexts import ContextInvalid
from enrollment_crm.mail.lint import lint_templates
from enrollment_crm.mail.preview import Preview, write_previews
from enrollment_crm.mail.problems import TemplateErrors, TemplateProblem
from enrollment_crm.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Check the emails in templates/email, and look at them.")

_PROBLEMS_FOUND = 1
#: Claims end by the calendar of the school.
_SCHOOL_ZONE = ZoneInfo("America/New_York")

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Folder of the emails. Default: templates/email.", file_okay=False, exists=True),
]


@app.command()
def lint(
    *,
    folder: Folder = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(help="Check dated claims as of this day. Default: today.", formats=["%Y-%m-%d"]),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Tell everything that is wrong with the emails: where, what, and what to do.

    Checks markup and Jinja, declared against used variables, claims that have ended, words that must not be
    said, and renders every email for every sample person: links, dates, size, contrast, the way out.

    Ends with 0 when the emails may be sent, and with 1 when there is something to mend.
    """
    settings = Settings()
    day = as_of.date() if as_of else _today(settings)
    problems = lint_templates(folder or _folder_of(settings), as_of=day)
    if as_json:
        typer.echo(json.dumps({"as_of": day.isoformat(), "problems": [asdict(one) for one in problems]}, indent=2))
    else:
        _print_problems(problems)
    if problems:
        raise typer.Exit(_PROBLEMS_FOUND)


@app.command()
def preview(
    *,
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option(help="Where to write. Default: build/preview.", file_okay=False)] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Write every email as every sample person would get it, and a page that shows all of them side by side.

    Edit a file in templates/email, run this again, reload the page. Sends nothing.

    Ends with 0 when all were written, and with 1 when the emails have problems that `lint` tells.
    """
    settings = Settings()
    written: list[Preview] = []
    try:
        index = write_previews(
            folder or _folder_of(settings),
            out or settings.home_directory / "build" / "preview",
            on_written=written.append,
        )
    except TemplateErrors as error:
        _print_problems(error.problems)
        raise typer.Exit(_PROBLEMS_FOUND) from error
    except ContextInvalid as error:
        Console(stderr=True).print(f"{escape(str(error))}\nMend the sample person in _people/; `lint` names the file.")
        raise typer.Exit(_PROBLEMS_FOUND) from error
    if as_json:
        typer.echo(json.dumps({"index": str(index), "emails": [str(one.html_file) for one in written]}, indent=2))
    else:
        Console().print(f"{len(written)} emails written. Look at them: {index.resolve().as_uri()}", soft_wrap=True)
    if show:
        typer.launch(index.resolve().as_uri())


def _folder_of(settings: Settings) -> Path:
    return settings.home_directory / "templates" / "email"


def _today(settings: Settings) -> date:
    return clock_of(settings)().astimezone(_SCHOOL_ZONE).date()


def _print_problems(problems: tuple[TemplateProblem, ...]) -> None:
    console = Console()
    for one in problems:
        where = f"{_relative(one.file)}:{one.line}:{one.column}"
        console.print(f"[bold]{escape(where)}[/bold]", soft_wrap=True)
        console.print(f"  {escape(one.what)} [dim]{escape(one.remedy)}[/dim]", soft_wrap=True)
    verdict = f"{len(problems)} problem(s) to mend." if problems else "The emails are in order."
    console.print(verdict)


def _relative(file: str) -> str:
    """The path as an editor started here understands it; shorter, when the file lies below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
