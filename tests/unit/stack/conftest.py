"""Small programs that stand in for PostgreSQL and Airflow: they start in a blink and die on demand."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enrollment_crm.stack.keeper import Change, RestartPolicy
from enrollment_crm.stack.members import end_stack
from enrollment_crm.stack.ports import LOOPBACK, free_port
from enrollment_crm.stack.processes import Supervisor, new_stack_id
from enrollment_crm.stack.programs import Service, answers

#: Restarts without waiting: the pauses have a test of their own.
IMPATIENT = RestartPolicy(most_deaths=4, first_pause_in_seconds=0.01, longest_pause_in_seconds=0.02)


def listening(name: str = "server", *, port: int | None = None) -> Service:
    """A web server on loopback."""
    port = port or free_port()
    command = [sys.executable, "-m", "http.server", "--bind", LOOPBACK, str(port)]
    return Service(name, command, answers(f"http://{LOOPBACK}:{port}/"), stop_within_in_seconds=2)


def script(name: str, code: str, *, is_ready: Callable[[float], bool] = lambda _: True) -> Service:
    """A Python program that counts as ready at once."""
    return Service(name, [sys.executable, "-c", code], is_ready, stop_within_in_seconds=1)


def eventually(condition: Callable[[], bool], *, within_in_seconds: float = 15) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + within_in_seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def is_free(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0


@pytest.fixture
def changes() -> list[Change]:
    """What the supervisor of the test has told."""
    return []


@pytest.fixture
def supervisor(tmp_path: Path, changes: list[Change]) -> Iterator[Supervisor]:
    """A supervisor in a folder of its own."""
    with Supervisor(log_directory=tmp_path / "logs", policy=IMPATIENT, on_change=changes.append) as running:
        yield running


@pytest.fixture
def stack_id() -> Iterator[str]:
    """A mark for processes that the test starts by itself; whatever it leaves is ended."""
    mark = new_stack_id()
    yield mark
    end_stack(mark, patience_in_seconds=0)
