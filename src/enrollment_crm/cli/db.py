"""``enrollment-crm db``: the shape of the database."""

import json

import typer
from rich.console import Console

from enrollment_crm.bootstrap import clock_of, programs_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.database import upgrade_database

app = typer.Typer(no_args_is_help=True, help="The CRM database.")


@app.callback()
def _group() -> None:
    """Keeps `db upgrade` a command of its own, however few there are."""


@app.command("upgrade")
def upgrade_command(*, as_json: AsJson = False) -> None:
    """Bring the tables up to date, and the dates of `config/programs/` into force.

    Safe to run again, and from several machines at once: they wait for each other. A date that is in force is never
    moved by this command; where a file says another date, it is listed.
    """
    settings = Settings()
    with crm_database(settings, upgrade=False) as engine:
        done = upgrade_database(engine, programs_of(settings), now=clock_of(settings)())
    calendar = done.calendar
    if as_json:
        facts = {
            "revision": done.revision,
            "deadlines_added": calendar.deadlines,
            "prep_sessions_added": calendar.prep_sessions,
            "differing": calendar.differing,
        }
        typer.echo(json.dumps(facts))
        return
    console = Console()
    console.print(
        f"The database has revision {done.revision}. Added {calendar.deadlines} deadlines, "
        f"{calendar.prep_sessions} prep sessions."
    )
    for line in calendar.differing:
        console.print(f"[yellow]Not moved:[/] {line}")
