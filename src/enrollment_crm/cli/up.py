"""`enrollment-crm up`: the whole pipeline on this machine, until Ctrl-C."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from enrollment_crm.settings import Settings
from enrollment_crm.stack.errors import AlreadyRunning, NotForProduction, PortTaken, StackError
from enrollment_crm.stack.interruption import stopped_by_signals
from enrollment_crm.stack.keeper import Change, State
from enrollment_crm.stack.stack import Facts, Stack

_FAILED = 1
_USAGE = 2
_LOOKS = {
    State.STARTING: "[yellow]starting[/]",
    State.RESTARTING: "[yellow]died, is started again[/]",
    State.READY: "[green]ready[/]",
    State.DONE: "[green]done[/]",
    State.FAILED: "[red]failed[/]",
    State.STOPPED: "[dim]stopped[/]",
}


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
) -> None:
    """Start the whole pipeline on this machine and keep it running until Ctrl-C.

    That is PostgreSQL, Airflow (api-server, scheduler, dag-processor, triggerer), the public web app and a mail
    server that delivers nothing and keeps everything. Both databases are migrated first. A service that dies is
    started again; Ctrl-C, `kill` and a closed terminal stop everything, and nothing is left behind.

    Ports are free ones unless CRM_PUBLIC_PORT or CRM_AIRFLOW_PORT fix them. Data, logs and the lock are in
    CRM_STATE_DIRECTORY (build/stack): delete that folder to begin anew, name another for a second stack.

    Exit codes: 0 stopped when asked, 1 could not start or could not go on, 2 wrong settings, or a port or the
    folder belongs to another program.
    """
    console = Console(stderr=as_json)
    try:
        settings = Settings()
    except ValidationError as error:
        console.print(f"[red]The settings are wrong.[/]\n{escape(explain(error))}")
        raise typer.Exit(_USAGE) from error
    try:
        with stopped_by_signals():
            _run(settings, with_mailbox=with_mailbox, as_json=as_json, console=console)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
    except (PortTaken, AlreadyRunning, NotForProduction) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(_USAGE) from error
    except StackError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(_FAILED) from error


def _run(settings: Settings, *, with_mailbox: bool | None, as_json: bool, console: Console) -> None:
    progress = StartProgress(console)
    with progress, Stack(settings, with_mailbox=with_mailbox, on_change=progress.note) as stack:
        progress.finish()
        if as_json:
            typer.echo(json.dumps(facts_as_json(stack.facts)))
        else:
            console.print(facts_table(stack.facts))
            console.print("Ctrl-C stops everything.")
        while True:
            stack.check()
            time.sleep(0.5)


def explain(error: ValidationError) -> str:
    """What is wrong with the settings, a line each, without repeating their values: some are secrets."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "\n".join(f"{_variable_of(problem['loc'])}{problem['msg']}" for problem in problems)


def _variable_of(location: tuple[int | str, ...]) -> str:
    """Name of the variable; nothing for a rule about several, whose message names them."""
    return f"CRM_{location[0]}: ".upper() if location else ""


class StartProgress:
    """Shows how each program comes up: a living table on a terminal, a line per change elsewhere and later on.

    `demo` shows its stack with it too.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._latest: dict[str, tuple[Change, float]] = {}
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(get_renderable=self._table, console=console, refresh_per_second=5)

    def __enter__(self) -> "StartProgress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def note(self, change: Change) -> None:
        """Take in a change of the stack; called from several threads."""
        seconds = self._clock() - self._began
        self._latest[change.program] = (change, seconds)
        if self._live is None:
            again = f" ({change.restarts} restarts)" if change.restarts else ""
            self._console.print(f"{seconds:6.1f} s  {change.program} {_LOOKS[change.state]}{again}")

    def finish(self) -> None:
        """The stack is up, or will not be: from now on a line per change."""
        if self._live:
            self._live.stop()
            self._live = None

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for change, seconds in list(self._latest.values()):
            restarts = f"{change.restarts} restarts" if change.restarts else ""
            table.add_row(change.program, _LOOKS[change.state], f"{seconds:.1f} s", restarts)
        return table


def facts_table(facts: Facts) -> Table:
    """Where everything is, for a person."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("Request-info form", facts.public_url)
    table.add_row("Airflow", facts.airflow_url)
    table.add_row("  login", escape(f"{facts.airflow_user} / {facts.airflow_password}"))
    table.add_row("Mail", escape(str(facts.mail_directory or "goes to the relay of CRM_SMTP_HOST")))
    table.add_row("Logs", escape(str(facts.log_directory)))
    table.add_row("Database", escape(facts.database_url))
    return table


def facts_as_json(facts: Facts) -> dict[str, str | None]:
    """Where everything is, for a program."""
    return {name: None if value is None else str(value) for name, value in asdict(facts).items()}
