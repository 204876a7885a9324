"""``enrollment-crm calendar``: what is in force, what a change would do, and the change itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from enrollment_crm.bootstrap import clock_of, outbox_of, programs_of
from enrollment_crm.cli.calendar_tables import calendar_as_json, print_calendar, print_waiting, waiting_as_json
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.cli.output import REMARKS
from enrollment_crm.domain.calendar_plans import CalendarPlan
from enrollment_crm.domain.deadlines import DeadlineGroup, Round
from enrollment_crm.domain.plans_in_words import changes_in_words, plan_in_words, remarks_in_words, totals_in_words
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.settings import Settings
from enrollment_crm.sources.programs import read_programs
from enrollment_crm.workflows.calendar_changes import apply_calendar
from enrollment_crm.workflows.calendar_plans import fingerprint_of, from_json, plan_calendar, to_json
from enrollment_crm.workflows.calendars import propose_configuration, show_calendar
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.rollover import confirmation, roll_over, waiting_dates

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
    Deadlines and prep sessions: what is in force, and how it is changed.

    A date in force is moved in two steps: `plan` says what a changed configuration would do to how many people, and
    `apply` does it. Next year's dates are made by `rollover` and count only once a person has confirmed them.
    """,
)


def _read_term(text: str) -> EntryTerm:
    try:
        return EntryTerm.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date: write for example 2027-12-01.") from error


_Program = Annotated[str | None, typer.Option("--program", metavar="KEY", help="A file name in config/programs/.")]
_Term = Annotated[EntryTerm | None, typer.Option("--term", parser=_read_term, metavar="TERM", help='"fall 2029"')]
_By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves it; kept with the dates.")]
_Why = Annotated[str, typer.Option("--why", metavar="WORDS", help="Why; kept with the dates.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]


@contextmanager
def _outbox(settings: Settings) -> Iterator[Outbox]:
    with crm_database(settings) as engine:
        outbox = outbox_of(settings, engine)
        try:
            yield outbox
        finally:
            outbox.transport.close()


def _programs(settings: Settings, program: str | None) -> dict[str, Program]:
    programs = programs_of(settings)
    if program is not None and program not in programs:
        known = ", ".join(programs)
        raise typer.BadParameter(f"{program!r} is not in config/programs/, which holds {known}.")
    return {key: one for key, one in programs.items() if program in (None, key)}


@app.command()
def show(*, program: _Program = None, term: _Term = None, as_json: AsJson = False) -> None:
    """Show dates in force with source and approval and how many follow them, dates to confirm, and sessions ahead."""
    settings = Settings()
    entry_term = str(term) if term else None
    with crm_database(settings) as engine:
        shown = show_calendar(engine, program=program, entry_term=entry_term, now=clock_of(settings)())
    if not (shown.in_force or shown.waiting):
        _programs(settings, program)  # a name that is misspelt would look like a program without dates
    if as_json:
        typer.echo(calendar_as_json(shown))
    else:
        print_calendar(shown)


@app.command()
def plan(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Instead of config/programs/: changed files.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PLAN.json", dir_okay=False, help="Write the plan, for `apply`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say exactly what the configured dates and sessions would change, and for how many people. Changes nothing.

    Compares the files with what is in force: dates added, moved, or cancelled (they came from a file that lists them
    no longer). What is over is left alone, and so are programs that the folder does not hold.
    """
    settings = Settings()
    with _outbox(settings) as outbox:
        now = clock_of(settings)()
        programs = read_programs(config) if config else programs_of(settings)
        proposal = propose_configuration(outbox.engine, programs, now=now)
        made = plan_calendar(outbox.engine, outbox, proposal, now=now)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(to_json(made), "utf-8")
    if as_json:
        typer.echo(to_json(made), nl=False)
        return
    _print(plan_in_words(made))
    if out is not None and not made.is_empty:
        REMARKS.print(f"Written to {escape(str(out))}. To do it: enrollment-crm calendar apply {escape(str(out))}")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="PLAN.json", exists=True, dir_okay=False, help="Of `calendar plan`.")],
    *,
    by: _By,
    why: _Why,
    yes: _Yes = False,
    as_json: AsJson = False,
) -> None:
    """Do what a plan says: all of it or nothing, and once.

    A plan is refused (exit code 1) if the calendar has changed since it was made, if it was edited, or if it was
    applied before. Notices and catch-ups go out with the next sweep.
    """
    made = from_json(file.read_bytes())
    settings = Settings()
    with _outbox(settings) as outbox:
        _apply(outbox, made, settings, by=by, why=why, yes=yes, as_json=as_json)


def _apply(
    outbox: Outbox, made: CalendarPlan, settings: Settings, *, by: str, why: str, yes: bool, as_json: bool
) -> None:
    if not by.strip() or not why.strip():
        raise typer.BadParameter("--by and --why are kept with the dates: name somebody, and say why.")
    if made.is_empty:
        nothing = json.dumps({"plan": fingerprint_of(made), "applied_at": None, "changes": []})
        _print(nothing if as_json else plan_in_words(made))
        return
    if not as_json:
        _print("\n".join([*changes_in_words(made), "", *totals_in_words(made), *remarks_in_words(made)]))
    if not yes:
        typer.confirm("Do this?", abort=True, err=True)
    change = apply_calendar(outbox.engine, outbox.cadences, made, by=by, why=why, now=clock_of(settings)())
    if as_json:
        typer.echo(json.dumps({"plan": change.plan, "applied_at": str(change.applied_at), "changes": change.changes}))
    else:
        _print(f"Done at {change.applied_at:%Y-%m-%d %H:%M:%S} UTC; plan {change.plan[:12]}.")


@app.command()
def rollover(*, program: _Program = None, term: _Term = None, as_json: AsJson = False) -> None:
    """Make the dates of the next terms from the patterns of `config/programs/`, to be confirmed one by one.

    The next terms are the fall and the spring after the last term in force. Nothing is sent for a date before a person
    has confirmed it. Running it twice adds nothing, and says so. A term that is past is refused.
    """
    settings = Settings()
    programs = _programs(settings, program)
    with crm_database(settings) as engine:
        done = roll_over(engine, programs.values(), entry_term=term, now=clock_of(settings)())
    if as_json:
        waiting = waiting_as_json(done.waiting)
        said = {"entry_terms": done.entry_terms, "added": done.added, "to_be_confirmed": waiting}
        typer.echo(json.dumps({**said, "remarks": done.remarks}))
        return
    print_waiting(done.waiting)
    _print(f"{', '.join(done.entry_terms)}: {done.added} dates added, {len(done.waiting)} wait to be confirmed.")
    for remark in done.remarks:
        _print(remark)


@app.command()
def confirm(
    term: Annotated[EntryTerm, typer.Argument(parser=_read_term, metavar="TERM", help='"fall 2029"')],
    *,
    by: _By,
    why: _Why,
    program: _Program = None,
    a_round: Annotated[Round | None, typer.Option("--round", help="Only this round.")] = None,
    residency: Annotated[Residency | None, typer.Option("--residency", help="Only this group.")] = None,
    stated_date: Annotated[
        date | None, typer.Option("--date", parser=_read_date, metavar="YYYY-MM-DD", help="Another date than it has.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every date of the term that waits.")] = False,
    yes: _Yes = False,
    as_json: AsJson = False,
) -> None:
    """Bring dates of a rollover into force: some of a term, or `--all`. Says first what that does to whom."""
    if every == bool(a_round or residency):
        raise typer.BadParameter("Choose dates by --round or --residency, or take --all of the term.")
    if every and stated_date:
        raise typer.BadParameter("--date is for dates chosen by --round or --residency, not for --all.")

    def chosen(group: DeadlineGroup) -> bool:
        said = ((program, group.program), (a_round, group.round), (residency, group.residency))
        return group.entry_term == term and all(asked in (None, has) for asked, has in said)

    settings = Settings()
    with _outbox(settings) as outbox:
        now = clock_of(settings)()
        waiting = waiting_dates(outbox.engine, now=now)
        proposal = confirmation(waiting, chosen, outbox.programs, stated_date=stated_date)
        made = plan_calendar(outbox.engine, outbox, proposal, now=now)
        _apply(outbox, made, settings, by=by, why=why, yes=yes, as_json=as_json)


def _print(text: str) -> None:
    Console(soft_wrap=True).print(text, highlight=False, markup=False)
