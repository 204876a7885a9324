"""`enrollment-crm up`: the whole pipeline on this machine, until Ctrl-C."""

import json
from typing import Annotated

import typer
from rich.console import Console

from enrollment_crm.cli.running import (
    StartedBy,
    StartProgress,
    ended_properly,
    facts_as_json,
    print_facts,
    stay_up,
)
from enrollment_crm.settings import Settings
from enrollment_crm.stack.stack import Stack


def up(
    with_mailbox: Annotated[
        bool | None,
        typer.Option(
            "--mailbox/--no-mailbox",
            help="Keep all mail in a folder of this machine, or send it to the relay of CRM_SMTP_HOST. "
            "By default it is kept, unless CRM_SMTP_HOST or CRM_SMTP_PORT is set.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="When all is ready, print one line of JSON with addresses, login and folders."),
    ] = False,
    started_by: StartedBy = None,
) -> None:
    """Start the whole pipeline on this machine and keep it running until Ctrl-C.

    That is PostgreSQL, Airflow (api-server, scheduler, dag-processor, triggerer), the public web app and a mail
    server that delivers nothing and keeps everything. Both databases are migrated first. A service that dies is
    started again; Ctrl-C, `kill`, a closed terminal and the end of `make` stop everything, and nothing is left
    behind. To keep it when the terminal closes, start it with `nohup` or `setsid`, or `disown` it in the background.

    Ports are free ones. To fix them, set CRM_PUBLIC_PORT (the form) or CRM_AIRFLOW_PORT, for example
    `CRM_PUBLIC_PORT=8000 CRM_AIRFLOW_PORT=8080 make up`. The form listens on CRM_PUBLIC_HOST (127.0.0.1). Data, logs
    and the lock are in CRM_STATE_DIRECTORY (build/stack): delete that folder to begin anew, name another for a second
    stack.

    Exit codes: 0 stopped when asked, 1 could not start or could not go on, 2 wrong settings, or a port or the
    folder belongs to another program.
    """
    console = Console(stderr=as_json)
    with ended_properly(console, starter=started_by):
        _run(Settings(), with_mailbox=with_mailbox, as_json=as_json, console=console)


def _run(settings: Settings, *, with_mailbox: bool | None, as_json: bool, console: Console) -> None:
    progress = StartProgress(console)
    with progress, Stack(settings, with_mailbox=with_mailbox, on_change=progress.note) as stack:
        progress.finish()
        if as_json:
            typer.echo(json.dumps(facts_as_json(stack.facts)))
        else:
            print_facts(console, stack.facts)
        stay_up(stack, console)
