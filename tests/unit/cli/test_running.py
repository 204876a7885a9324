"""What the commands that run a stack say."""

import io
import re
from pathlib import Path

import pytest
import typer
from rich.console import Console

from enrollment_crm.cli.demo import demo
from enrollment_crm.cli.running import StartProgress, ended_properly, print_facts, restarts_in_words, stay_up
from enrollment_crm.cli.up import up
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.stack.errors import HostUnusable, ProgramFailed
from enrollment_crm.stack.keeper import Change, State
from enrollment_crm.stack.stack import Facts, Stack

LONG = "/a/folder/" + "far/away/" * 20
FACTS = Facts(
    airflow_url="http://127.0.0.1:8080",
    airflow_user="admin",
    airflow_password="[bold]secret[/]",
    public_url="http://127.0.0.1:8000",
    database_url=f"postgresql+psycopg://postgres@/crm?host={LONG}",
    mail_directory=Path(LONG) / "mail",
    drop_directory=Path(LONG) / "drop",
    log_directory=Path(LONG) / "logs",
    state_directory=Path(LONG),
)


def narrow(*, is_terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=40, force_terminal=is_terminal, no_color=True, highlight=False), out


@pytest.mark.parametrize("is_terminal", [True, False])
def test_each_fact_stands_on_one_line_however_narrow(is_terminal: bool) -> None:
    console, out = narrow(is_terminal=is_terminal)
    print_facts(console, FACTS)
    lines = out.getvalue().splitlines()
    assert len(lines) == 7
    for value in (
        FACTS.database_url,
        str(FACTS.drop_directory),
        str(FACTS.log_directory),
        str(FACTS.mail_directory),
        "admin / [bold]secret[/]",
    ):
        assert [line for line in lines if line.endswith(value)], value


def test_a_log_that_an_error_names_is_whole_in_a_file(tmp_path: Path) -> None:
    log = tmp_path / "a-name-that-is-much-longer-than-forty-characters.log"
    console, out = narrow(is_terminal=False)
    with pytest.raises(typer.Exit), ended_properly(console):
        raise ProgramFailed("scheduler ended.", log)
    assert str(log) in out.getvalue()


def test_a_host_that_cannot_be_is_misuse() -> None:
    console, _ = narrow(is_terminal=False)
    with pytest.raises(typer.Exit) as ended, ended_properly(console):
        raise HostUnusable("set it")
    assert ended.value.exit_code == 2


def test_restarts_in_words() -> None:
    counts = {"api-server": 1, "scheduler": 2, "mailbox": 0, "postgresql": 3}
    assert restarts_in_words(counts) == "api-server once, scheduler twice, postgresql 3 times"


class Interrupted(Stack):
    """A stack at which somebody has pressed Ctrl-C."""

    def __init__(self) -> None:
        pass

    def check(self) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_is_answered_before_the_services_have_stopped() -> None:
    console, out = narrow(is_terminal=False)
    with pytest.raises(KeyboardInterrupt):
        stay_up(Interrupted(), console)
    assert out.getvalue().splitlines()[0] == "Ctrl-C stops everything."
    assert "Stopping everything" in out.getvalue()


class Closed(io.StringIO):
    """A terminal that has gone."""

    def write(self, _: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_has_gone_disturbs_neither_the_services_nor_the_stop() -> None:
    console = Console(file=Closed())
    with ended_properly(console):
        StartProgress(console).note(Change("scheduler", State.READY))
        raise KeyboardInterrupt


@pytest.mark.parametrize("text", [up.__doc__, demo.__doc__, (CHECKOUT / "README.md").read_text("utf-8")])
def test_how_to_fix_a_port_is_said_where_people_look(text: str) -> None:
    assert {"CRM_PUBLIC_PORT", "CRM_AIRFLOW_PORT"} <= set(re.findall(r"CRM_\w+", text))
