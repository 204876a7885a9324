"""``enrollment-crm check-setup``: whether mail will arrive, and what to do where it will not."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from enrollment_crm.bootstrap import clock_of, engine_of, mail_setup_of
from enrollment_crm.cli.options import AsJson
from enrollment_crm.domain.setup_checks import SetupCheck, Verdict, has_problem
from enrollment_crm.mail.dns import Dns
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.setup_checks import check_setup

_MARKS = {
    Verdict.OK: "[green]ok[/]",
    Verdict.WARNING: "[yellow]warning[/]",
    Verdict.PROBLEM: "[bold red]problem[/]",
    Verdict.NOT_ASKED: "[cyan]not asked[/]",
}

Message = Annotated[
    Path | None,
    typer.Option(
        "--message",
        exists=True,
        dir_okay=False,
        help="A message as it arrived (.eml), whose DKIM signature is checked. Default: the newest in the accept log.",
    ),
]
Resolvers = Annotated[
    list[str] | None,
    typer.Option("--resolver", metavar="ADDRESS", help="Ask this name server (ADDRESS or ADDRESS:PORT). Repeatable."),
]


def check_setup_command(*, message: Message = None, resolver: Resolvers = None, as_json: AsJson = False) -> None:
    """Check the mail setup: SPF, DKIM, DMARC, PTR, the relay and its TLS, the way out, clocks, secrets, feeds.

    Each line says `ok`, `warning`, `problem` or `not asked`, and what to do. Nothing is sent and nothing is changed.
    It asks DNS, opens one session with the relay, and sends one POST to the public site.

    Exit code 1 where there is a problem.
    """
    settings = Settings()
    engine = engine_of(settings) if settings.database_url.get_secret_value() else None
    setup = mail_setup_of(
        settings, engine, dns=Dns(tuple(resolver or ())), message=message.read_bytes() if message else None
    )
    # The real clock, also where the pipeline's is stopped: it is compared with those of others.
    found = check_setup(setup, now=clock_of(settings.model_copy(update={"as_of": None}))())
    if as_json:
        typer.echo(json.dumps({"problem": has_problem(found), "checks": [asdict(one) for one in found]}))
    else:
        print_checks(found)
    raise typer.Exit(1 if has_problem(found) else 0)


def print_checks(found: Sequence[SetupCheck]) -> None:
    """Each check as a line, with what to do below it."""
    console = Console(highlight=False)
    for one in found:
        console.print(f"{_MARKS[one.verdict]:>9} [bold]{escape(one.matter)}[/]: {escape(one.finding)}", soft_wrap=True)
        if one.remedy:
            console.print(f"          -> {escape(one.remedy)}", soft_wrap=True)
