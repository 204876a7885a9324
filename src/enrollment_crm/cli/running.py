"""What the commands that run a stack share: how they show it coming up, where it is, and how they end."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from enrollment_crm.stack.errors import AlreadyRunning, HostUnusable, NotForProduction, PortTaken, StackError
from enrollment_crm.stack.interruption import stopped_by_signals, stopped_when_deserted
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


StartedBy = Annotated[
    int | None,
    typer.Option("--started-by", metavar="PID", min=1, help="Stop also when this process has gone; make names itself."),
]


@contextmanager
def ended_properly(console: Console, *, starter: int | None = None) -> Iterator[None]:
    """Ctrl-C ends a command with 0, what went wrong with a sentence and 1, misuse with a sentence and 2.

    Args:
        starter: process that the command is not to outlive.
    """
    try:
        with stopped_by_signals(), stopped_when_deserted(starter):
            yield
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may have gone
            console.print("Stopped; nothing is left running.")
    except ValidationError as error:
        _say(console, f"The settings are wrong.\n{explain(error)}")
        raise typer.Exit(_USAGE) from error
    except (PortTaken, HostUnusable, AlreadyRunning, NotForProduction) as error:
        _say(console, str(error))
        raise typer.Exit(_USAGE) from error
    except StackError as error:
        _say(console, str(error))
        raise typer.Exit(_FAILED) from error


def _say(console: Console, problem: str) -> None:
    """What went wrong; in a file its lines are as they are, so that a path in them stays whole."""
    console.print(f"[red]{escape(problem)}[/]", soft_wrap=not console.is_terminal)


def stay_up(stack: Stack, console: Console) -> None:
    """Stay until Ctrl-C. Raises ProgramFailed when a service has died too often to be started again."""
    console.print("Ctrl-C stops everything.")
    try:
        while True:
            stack.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may have gone
            console.print("\nStopping everything: that takes some seconds.")
        raise


def explain(error: ValidationError) -> str:
    """What is wrong with the settings, a line each, without repeating their values: some are secrets."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "\n".join(f"{_variable_of(problem['loc'])}{problem['msg']}" for problem in problems)


def _variable_of(location: tuple[int | str, ...]) -> str:
    """Name of the variable; nothing for a rule about several, whose message names them."""
    return f"CRM_{location[0]}: ".upper() if location else ""


def _restarts(change: Change) -> str:
    return f"started again {_times(change.restarts)}" if change.restarts else ""


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
            again = f" ({_restarts(change)})" if change.restarts else ""
            with suppress(OSError):  # nobody reads it any more: no reason for a service to fail
                self._console.print(f"{seconds:6.1f} s  {change.program} {_LOOKS[change.state]}{again}")

    def finish(self) -> None:
        """The stack is up, or will not be: from now on a line per change."""
        if self._live:
            self._live.stop()
            self._live = None

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for change, seconds in list(self._latest.values()):
            table.add_row(change.program, _LOOKS[change.state], f"{seconds:.1f} s", _restarts(change))
        return table


def print_facts(console: Console, facts: Facts) -> None:
    """Where everything is, for a person: a line each, which nothing breaks, so that its value can be copied."""
    lines = {
        "Request-info form": facts.public_url,
        "Airflow": facts.airflow_url,
        "  login": f"{facts.airflow_user} / {facts.airflow_password}",
        "Mail": str(facts.mail_directory or "goes to the relay of CRM_SMTP_HOST"),
        "Drop folder": str(facts.drop_directory),
        "Logs": str(facts.log_directory),
        "Database": facts.database_url,
    }
    width = max(map(len, lines)) + 2
    for name, value in lines.items():
        console.print(f"[bold]{name:<{width}}[/]{escape(value)}", soft_wrap=True)


def restarts_in_words(restarts: Mapping[str, int]) -> str:
    """Which services were started again how often, such as ``api-server once, scheduler 3 times``."""
    return ", ".join(f"{name} {_times(count)}" for name, count in restarts.items() if count)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def facts_as_json(facts: Facts) -> dict[str, str | None]:
    """Where everything is, for a program."""
    return {name: None if value is None else str(value) for name, value in asdict(facts).items()}
