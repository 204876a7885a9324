"""``enrollment-crm suppression``: addresses that nothing is written to.

.. pii: prints addresses, for staff, on purpose. Nothing of it is logged.
"""

import dataclasses
import json
from typing import Annotated

import typer

from enrollment_crm.bootstrap import clock_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.suppressions import SUPPRESSIONS_IN_WORDS, SuppressionReason
from enrollment_crm.settings import Settings
from enrollment_crm.storage.suppressions import Suppression
from enrollment_crm.workflows import suppressions

app = typer.Typer(no_args_is_help=True, help="Addresses that nothing is written to: bounces, complaints, by hand.")

_Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An email address; case does not matter.")]
_By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it: kept with the entry.")]
_Why = Annotated[str, typer.Option("--why", metavar="WORDS", help="Why: kept with the entry.")]


@app.command("list")
def list_(
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="Only this address.")] = None,
    *,
    reason: Annotated[SuppressionReason | None, typer.Option("--reason", help="Only this reason.")] = None,
    lifted: Annotated[bool, typer.Option("--lifted", help="Also what was lifted: the history.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the addresses that nothing is written to, the newest first, with reason, instant and who put them there."""
    settings = Settings()
    with crm_database(settings) as engine:
        found = suppressions.suppressions(engine, address, reason=reason, with_lifted=lifted)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in found], default=str))
        return
    rows = [(one.email_key, _reason(one), f"{one.at:%Y-%m-%d %H:%M}", _by(one), _end(one)) for one in found]
    print_rows("Suppression list", ("Address", "Reason", "Since (UTC)", "By, why", "Lifted"), rows)


@app.command()
def add(address: _Address, *, by: _By, why: _Why) -> None:
    """Write nothing more to an address, whether anybody has it yet or not. No signup lifts it; `lift` does."""
    settings = Settings()
    _check_said(by, why)
    with crm_database(settings) as engine:
        try:
            added = suppressions.add_suppression(engine, address, by=by, why=why, now=clock_of(settings)())
        except suppressions.NotAnAddressError as error:
            raise typer.BadParameter(str(error)) from error
    REMARKS.print("It is on the list." if added else "It stood there already, by hand: nothing was changed.")


@app.command()
def lift(address: _Address, *, by: _By, why: _Why) -> None:
    """Write to an address again, whatever had put it on the list; the history stays, with who lifted it and why.

    What was withheld meanwhile is not sent. Who had complained stays unsubscribed from all marketing, until a new
    signup of their own. Exit code 1 where the address is not on the list.
    """
    settings = Settings()
    _check_said(by, why)
    with crm_database(settings) as engine:
        done = suppressions.lift_suppression(engine, address, by=by, why=why, now=clock_of(settings)())
    if not done.suppressions:
        REMARKS.print("[bold red]Error:[/] It is not on the list: nothing was changed.", highlight=False)
        raise typer.Exit(1)
    reasons = ", ".join(one.reason.value.replace("_", " ") for one in done.suppressions)
    REMARKS.print(f"Lifted: {reasons}.", highlight=False)
    if done.still_unsubscribed:
        REMARKS.print("They had complained, and stay unsubscribed until they sign up again.", highlight=False)


def _check_said(by: str, why: str) -> None:
    if not (by.strip() and why.strip()):
        raise typer.BadParameter("--by and --why must say something: both are kept with the entry.")


def _reason(one: Suppression) -> str:
    return f"{one.reason.value.replace('_', ' ')}: {SUPPRESSIONS_IN_WORDS[one.reason]}"


def _by(one: Suppression) -> str:
    about = f", message {one.message_row_id}" if one.message_row_id else ""
    return f"{one.added_by}{about}: {one.why}".rstrip(": ")


def _end(one: Suppression) -> str:
    return f"{one.lifted_at:%Y-%m-%d %H:%M} by {one.lifted_by}: {one.lifted_why or ''}" if one.lifted_at else ""
