"""Who belongs to a stack: every process carries two environment variables, and children inherit them.

A parent that was killed with -9 leaves its children to init, a task of Airflow leaves its process group, but
the environment that a process was started with stays readable. (``SPT_NOENV=1`` in the environment of the
children keeps setproctitle from writing over it.)
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Sequence

import psutil

STACK_VARIABLE = "CRM_STACK_ID"
PROCESS_VARIABLE = "CRM_STACK_PROCESS"
#: The program that outlives the others: they write to it until their end.
DATABASE = "postgresql"
#: In a row. A process that is just being forked shows its variables a moment later.
_QUIET_LOOKS = 2


def members_of(stack_id: str, *, program: str | None = None) -> list[psutil.Process]:
    """The living processes of a stack, or of one of its programs; never the one that asks."""
    found = []
    for pid in psutil.pids():
        if pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            environment = process.environ()
            if environment.get(STACK_VARIABLE) != stack_id:
                continue
            if program in (None, environment.get(PROCESS_VARIABLE)):
                found.append(process)
    return found


def end_stack(stack_id: str, *, patience_in_seconds: float = 4.0) -> int:
    """End all that a stack left behind, the database last and properly; return how many there were."""
    ended = _end_until_quiet(stack_id, patience_in_seconds)
    databases = members_of(stack_id, program=DATABASE)
    # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one: its children go with it.
    for politeness in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        end(databases, politeness, patience_in_seconds=10)
    return ended + len(databases)


def _end_until_quiet(stack_id: str, patience_in_seconds: float) -> int:
    ended: set[int] = set()
    quiet_looks = 0
    while quiet_looks < _QUIET_LOOKS:
        databases = {process.pid for process in members_of(stack_id, program=DATABASE)}
        others = [process for process in members_of(stack_id) if process.pid not in databases]
        quiet_looks = 0 if others else quiet_looks + 1
        ended.update(process.pid for process in others)
        end(others, signal.SIGTERM, patience_in_seconds=patience_in_seconds)
        end(others, signal.SIGKILL, patience_in_seconds=2)
        time.sleep(0.1)
    return len(ended)


def end(processes: Sequence[psutil.Process], how: signal.Signals, *, patience_in_seconds: float) -> None:
    """Send a signal to the processes that still run and wait until they are gone or patience is."""
    alive = [process for process in processes if is_alive(process)]
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(how)
    _wait_until_gone(alive, patience_in_seconds)


def _wait_until_gone(processes: Iterable[psutil.Process], patience_in_seconds: float) -> None:
    deadline = time.monotonic() + patience_in_seconds
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)


def is_alive(process: psutil.Process) -> bool:
    """A zombie is dead: only its parent, who may be busy, can take it away."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
