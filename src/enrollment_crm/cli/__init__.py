"""Every workflow without Airflow, from the command line: ``enrollment-crm --help``."""

import typer

from enrollment_crm.cli import batches, calendar, campaigns, person, quarantine, rules, sources, suppressions, templates
from enrollment_crm.cli import reviews as staff_reviews
from enrollment_crm.cli.calendar_sync import reviews, sync
from enrollment_crm.cli.check_setup import check_setup_command
from enrollment_crm.cli.db import app as db_app
from enrollment_crm.cli.demo import demo
from enrollment_crm.cli.explain import explain
from enrollment_crm.cli.failures import explained
from enrollment_crm.cli.feedback import feedback
from enrollment_crm.cli.forecast import forecast
from enrollment_crm.cli.intake import intake
from enrollment_crm.cli.people import people
from enrollment_crm.cli.proof import message_app, messages_app
from enrollment_crm.cli.rehearse import rehearse
from enrollment_crm.cli.route import route
from enrollment_crm.cli.send import send
from enrollment_crm.cli.up import up

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    help="""
    Takes in signups and applications, routes each person, and sends the right email at the right hour.

    `up` starts everything on this machine, `demo` shows it at work. The other commands are the steps of the
    Airflow DAGs, one by one. Settings come from variables that begin with `CRM_` (see `.env.example`); without
    `CRM_DATABASE_URL` the commands use the PostgreSQL of `up`, or start it for as long as they need it.

    Exit codes: 0 done, 1 something is wrong and the message says what, 2 the command was misused.
    """,
)
app.command()(up)
app.command()(demo)
app.command()(intake)
app.command()(route)
app.command()(send)
app.command()(feedback)
app.command()(people)
app.command()(explain)
app.command()(forecast)
app.command()(rehearse)
app.add_typer(rules.app, name="rules")
app.add_typer(batches.app, name="batches")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(sources.app, name="sources")
app.command("check-setup")(check_setup_command)
calendar.app.command()(sync)
calendar.app.command()(reviews)
app.add_typer(person.app, name="person")
app.add_typer(staff_reviews.app, name="reviews")
app.add_typer(calendar.app, name="calendar")
app.add_typer(campaigns.app, name="campaigns")
app.add_typer(db_app, name="db")
app.add_typer(message_app, name="message")
app.add_typer(messages_app, name="messages")
app.add_typer(suppressions.app, name="suppression")
app.add_typer(templates.app, name="templates")


def main() -> None:
    """Entry point of the program."""
    with explained():
        app()


__all__ = ["app", "main"]
