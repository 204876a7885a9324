"""``enrollment-crm calendar sync``, ``reviews`` and ``decide``: the calendar beside its pages, without Airflow."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from enrollment_crm.bootstrap import clock_of, outbox_of, programs_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.cli.output import print_rows
from enrollment_crm.domain.calendar_sync import CalendarUnreadError
from enrollment_crm.domain.programs import Program
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
from enrollment_crm.workflows.outbox import Outbox

_ABOUT_SYNC = "Kept with the dates; for --apply."


def sync(
    *,
    program: Annotated[str | None, typer.Option("--program", metavar="KEY", help="Only this program.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes, once you have read and confirmed.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=f"Who approves it. {_ABOUT_SYNC}")] = "",
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help=f"Why. {_ABOUT_SYNC}")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Keep nothing, not even reviews.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the pages and feeds of `calendar_sources`, and say what they would change of the calendar in force.

    The same as the DAG `sync_calendar`. Without --apply no date and no session changes; what only a person can decide
    is kept as a review (`calendar reviews`). A part that could not be read is named, changes nothing, and makes the
    exit code 1; what was understood is compared all the same.
    """
    if apply and (dry_run or not by.strip() or not why.strip()):
        raise typer.BadParameter("--apply changes the calendar: name somebody with --by, say --why, and no --dry-run.")
    settings = Settings()
    with crm_database(settings) as engine:
        outbox = outbox_of(settings, engine)
        compared = _compare(outbox, settings, _chosen(settings, program), dry_run=dry_run)
        if not as_json:
            _print(compared_in_words(compared))
        change = _apply(outbox, compared, settings, by=by, why=why, yes=yes) if apply else None
    if as_json:
        typer.echo(json.dumps(_said(compared, change), default=str))
    elif change:
        _print(f"Done at {change.applied_at:%Y-%m-%d %H:%M:%S} UTC; plan {change.plan[:12]}.")
    if compared.problems:
        raise CalendarUnreadError(f"{len(compared.problems)} parts were not read: {' | '.join(compared.problems)}")


def reviews(*, as_json: AsJson = False) -> None:
    """List what only a person can decide of the calendar: listings that `sync` held back."""
    with crm_database(Settings()) as engine:
        waiting = list_reviews(engine)
    if as_json:
        typer.echo(json.dumps([vars(one) for one in waiting], default=str))
        return
    rows = [
        (str(one.id), one.program, one.listing, one.about.replace("_", " "), one.words, f"{one.opened_at:%Y-%m-%d}")
        for one in waiting
    ]
    print_rows("Waits for a person", ("Id", "Program", "Listing", "About", "Why", "Since"), rows)


def decide(
    review: Annotated[int, typer.Argument(metavar="ID", help="Of `calendar reviews`.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decided it.")],
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="What was decided.")],
) -> None:
    """Close a review with what was decided. Changes no date: do that in `config/programs/` with `calendar plan`."""
    if not by.strip() or not why.strip():
        raise typer.BadParameter("--by and --why are kept with the review: name somebody, and say what was decided.")
    settings = Settings()
    with crm_database(settings) as engine:
        if not decide_review(engine, review, by=by, decision=why, now=clock_of(settings)()):
            raise typer.BadParameter(f"No review {review} waits: see `enrollment-crm calendar reviews`.")
    _print(f"Review {review} is closed.")


def _chosen(settings: Settings, program: str | None) -> Mapping[str, Program]:
    programs = programs_of(settings)
    if program is not None and program not in programs:
        raise typer.BadParameter(f"{program!r} is not in config/programs/, which holds {', '.join(programs)}.")
    return {key: one for key, one in programs.items() if program in (None, key)}


def _compare(outbox: Outbox, settings: Settings, programs: Mapping[str, Program], *, dry_run: bool) -> CalendarCompared:
    now = clock_of(settings)()
    readings = read_calendars(outbox.engine, programs, now=now, timeout_in_seconds=settings.feed_timeout_in_seconds)
    return compare_calendars(outbox.engine, outbox, readings, now=now, dry_run=dry_run)


def _apply(
    outbox: Outbox, compared: CalendarCompared, settings: Settings, *, by: str, why: str, yes: bool
) -> CalendarChange | None:
    if compared.plan.is_empty:
        return None
    if not yes:
        typer.confirm("Do this?", abort=True, err=True)
    return apply_approved(outbox.engine, outbox.cadences, compared.plan, by=by, why=why, now=clock_of(settings)())


def _said(compared: CalendarCompared, change: CalendarChange | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "counts": compared.counts(),
        **json.loads(to_json(compared.plan)),
        "reviews": [vars(one) for one in compared.waiting],
        "remarks": compared.remarks,
        "problems": compared.problems,
        "applied": {"at": change.applied_at, "changes": change.changes} if change else None,
    }


def _print(text: str) -> None:
    Console(soft_wrap=True).print(text, highlight=False, markup=False)
