"""``enrollment-crm calendar sync`` and ``reviews``: what the pages say, beside what is in force."""

import dataclasses
import json
from typing import Annotated, Any

import typer
from rich.console import Console

from enrollment_crm.bootstrap import clock_of, outbox_of, programs_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.cli.output import REMARKS, print_rows, steps
from enrollment_crm.settings import Settings
from enrollment_crm.storage.calendar_changes import CalendarChange
from enrollment_crm.workflows.calendar_plans import to_json
from enrollment_crm.workflows.calendar_sync import (
    CalendarCompared,
    apply_approved,
    compare_calendars,
    compared_in_words,
    decide_review,
    list_reviews,
    read_calendars,
)


def sync(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes, once you have seen them.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="With --apply: who approves it.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="With --apply: why.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="With --apply: do not ask again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the program pages, events pages and feeds, and say what differs from the calendar in force.

    Changes nothing without `--apply`, and keeps no reviews. What cannot be understood changes nothing and ends with
    exit code 1; what no program can decide is listed by `calendar reviews`.
    """
    if apply and not (by.strip() and why.strip()):
        raise typer.BadParameter("--apply needs --by and --why: both are kept with the dates.", param_hint="--apply")
    settings = Settings()
    now = clock_of(settings)()
    with crm_database(settings) as engine:
        outbox = outbox_of(settings, engine)
        timeout = settings.feed_timeout_in_seconds
        with steps(quiet=as_json) as run:
            readings = run(
                "Reading the calendar's sources",
                lambda: read_calendars(engine, programs_of(settings), now=now, timeout_in_seconds=timeout),
            )
        compared = compare_calendars(engine, outbox, readings, now=now, dry_run=not apply)
        if not as_json:
            Console(soft_wrap=True).print(compared_in_words(compared), highlight=False, markup=False)
        done = None
        if apply and not compared.plan.is_empty:
            if not yes:
                typer.confirm("Make these changes?", abort=True, err=True)
            done = apply_approved(engine, outbox.cadences, compared.plan, by=by, why=why, now=now)
            REMARKS.print(f"{len(done.changes)} changes were made. Notices and catch-ups go out with the next sweep.")
    if as_json:
        typer.echo(json.dumps(_said(compared, done), default=str, indent=2))
    if compared.problems:
        raise typer.Exit(1)


def _said(compared: CalendarCompared, done: CalendarChange | None) -> dict[str, Any]:
    """What was found and done, for programs."""
    return {
        **compared.counts(),
        "problems": compared.problems,
        "reviews": [dataclasses.asdict(one) for one in compared.waiting],
        "remarks": compared.remarks,
        **json.loads(to_json(compared.plan)),
        "applied_at": done.applied_at if done else None,
        "applied": done.changes if done else [],
    }


def reviews(
    *,
    decide: Annotated[
        int | None, typer.Option("--decide", metavar="ID", help="Close this one with what was decided.")
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="With --decide: who decided.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="With --decide: what was decided, and why.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what the pages say and only a person can decide; `--decide` closes one. No date changes by that."""
    settings = Settings()
    with crm_database(settings) as engine:
        if decide is not None:
            if not (by.strip() and why.strip()):
                raise typer.BadParameter("--decide needs --by and --why.", param_hint="--decide")
            if not decide_review(engine, decide, by=by, decision=why, now=clock_of(settings)()):
                REMARKS.print(f"[bold red]Error:[/] no review {decide} waits: see `enrollment-crm calendar reviews`.")
                raise typer.Exit(1)
        waiting = list_reviews(engine)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in waiting], default=str, indent=2))
        return
    rows = [(str(one.id), one.program, one.about.replace("_", " "), one.listing, one.words) for one in waiting]
    print_rows("Waits for a person", ("Id", "Program", "About", "Listing", "What to decide"), rows)
