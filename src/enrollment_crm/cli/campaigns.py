"""``enrollment-crm campaigns``: what was stopped, why, and letting it go on."""

import dataclasses
import json
from typing import Annotated

import typer

from enrollment_crm.bootstrap import clock_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.campaigns import CampaignStop
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.campaigns import list_stops, resume

app = typer.Typer(
    no_args_is_help=True,
    help="""Kinds of message that stopped themselves, and letting them go on.

    A kind is stopped when the relay refuses us (5.7.x), or when too many of its last messages were refused because of
    their address. Nothing of it is sent until a person has mended the cause and resumed it.""",
)


@app.command("list")
def list_campaigns(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were resumed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is stopped, since when and why. Exit code 0, whether or not anything is."""
    settings = Settings()
    with crm_database(settings) as engine:
        stops = list_stops(engine, open_only=not every)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in stops], default=str, indent=2))
    elif not stops:
        REMARKS.print("Nothing is stopped.")
    else:
        columns = ("Kind", "Stopped", "Why", "Resumed", "What was mended")
        print_rows("Stopped campaigns", columns, [_cells(one) for one in stops])


def _cells(stop: CampaignStop) -> list[str]:
    resumed = f"{stop.resumed_at:%Y-%m-%d %H:%M} by {stop.resumed_by}" if stop.resumed_at else "no"
    return [stop.kind.value, f"{stop.stopped_at:%Y-%m-%d %H:%M %Z}", stop.reason, resumed, stop.remedy]


@app.command("resume")
def resume_campaign(
    kind: Annotated[MessageKind, typer.Argument(help="The kind of message, as `campaigns list` shows it.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who lets it go on.")],
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="What was mended.")],
) -> None:
    """Let a stopped kind of message go on with the next sweep. Mend the cause first: it would only stop again.

    What was due in the meantime goes out as after an outage (R6); what was refused is tried again when its pause is
    over. Exit code 1 where the kind was not stopped.
    """
    if not (by.strip() and why.strip()):
        raise typer.BadParameter("--by and --why are kept with the stop: say who you are and what was mended.")
    settings = Settings()
    with crm_database(settings) as engine:
        is_resumed = resume(engine, kind, by=by, remedy=why, now=clock_of(settings)())
    if not is_resumed:
        REMARKS.print(f"Messages of the kind {kind.value} are not stopped: see `enrollment-crm campaigns list`.")
        raise typer.Exit(1)
    REMARKS.print(f"Messages of the kind {kind.value} go out again with the next sweep.")
