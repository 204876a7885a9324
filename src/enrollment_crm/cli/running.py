"""What the commands that run a stack share: how they show it coming up, where it is, and how they end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

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


@contextmanager
def ended_properly(console: Console) -> Iterator[None]:
    """Ctrl-C ends a command with 0, what went wrong with a sentence and 1, misuse with a sentence and 2."""
    try:
        with stopped_by_signals():
            yield
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
    except ValidationError as error:
        console.print(f"[red]The settings are wrong.[/]\n{escape(explain(error))}")
        raise typer.Exit(_USAGE) from error
    except (PortTaken, AlreadyRunning, NotForProduction) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(_USAGE) from error
    except StackError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        raise typer.Exit(_FAILED) from error


def stay_up(stack: Stack) -> None:
    """Stay until Ctrl-C. Raises ProgramFailed when a service has died too often to be started again."""
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
