"""Keeps one service running: start, wait until ready, wait until dead, clean up, pause, start again.

One thread a service, so that this reads from top to bottom and a slow one holds up nobody.
"""

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import psutil

from enrollment_crm.stack.errors import ProgramFailed
from enrollment_crm.stack.launch import Launcher
from enrollment_crm.stack.members import end, members_of
from enrollment_crm.stack.programs import Service


class State(StrEnum):
    """Where a program of the stack stands."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    #: A step has ended well.
    DONE = "done"
    #: It cannot be had; the stack has to stop.
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Change:
    """A program has come into a new state; `restarts` counts its deaths so far."""

    program: str
    state: State
    restarts: int = 0


@dataclass(frozen=True)
class RestartPolicy:
    """How often a service may die in a row, and how long to wait before it is started again."""

    most_deaths: int = 6
    first_pause_in_seconds: float = 0.25
    longest_pause_in_seconds: float = 8
    #: A service that was ready for that long begins with a clean sheet.
    forgiven_after_in_seconds: float = 60

    def pause_in_seconds(self, deaths: int) -> float:
        """Doubles from death to death."""
        return float(min(self.first_pause_in_seconds * 2 ** (deaths - 1), self.longest_pause_in_seconds))


class Keeper:
    """One service under watch."""

    def __init__(
        self,
        service: Service,
        launcher: Launcher,
        *,
        policy: RestartPolicy,
        on_change: Callable[[Change], None],
    ) -> None:
        self.service = service
        self.state = State.STARTING
        self.restarts = 0
        #: Why it is FAILED.
        self.failure: ProgramFailed | None = None
        self._launcher = launcher
        self._policy = policy
        self._on_change = on_change
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._deaths_in_a_row = 0
        self._on_request = False
        self._stopping = threading.Event()
        self._spawning = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"keeper of {service.name}", daemon=True)

    @property
    def process_id(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Return at once; `state` tells how it goes."""
        self._thread.start()

    def restart(self) -> None:
        """End the process; it comes back by itself, and the restart is not held against it."""
        self._on_request = True
        self._announce(State.RESTARTING)
        self._end_process()

    def stop(self) -> None:
        """End the service and all that it started."""
        with self._spawning:
            self._stopping.set()
        self._end_process()
        if self._thread.is_alive():
            self._thread.join()
        if self.failure is None:
            self._announce(State.STOPPED)

    def _run(self) -> None:
        self._announce(State.STARTING)
        try:
            self._keep_running()
        except OSError as error:
            self._give_up(f"could not be started: {error}")

    def _keep_running(self) -> None:
        while not self._stopping.is_set():
            what_happened = self._live_once()
            if self._stopping.is_set() or self.failure:
                break
            if self._on_request:
                self._on_request = False
            else:
                self._deaths_in_a_row += 1
                if self._deaths_in_a_row >= self._policy.most_deaths:
                    self._give_up(f"{what_happened}, {self._deaths_in_a_row} times in a row")
                    break
                self._stopping.wait(self._policy.pause_in_seconds(self._deaths_in_a_row))
            self.restarts += 1
            self._announce(State.RESTARTING)

    def _live_once(self) -> str:
        """From birth to death of one process; says in words how it died."""
        with self._spawning:
            if self._stopping.is_set():
                return "was not started"
            self.service.prepare()
            process = self._process = self._launcher.spawn(self.service)
        if self._becomes_ready(process):
            self._announce(State.READY)
            what_happened = self._watch(process)
        else:
            what_happened = self._explain_not_ready(process)
        # What it started may still hold its port or its work: workers of a scheduler that was killed do.
        end(self._remains(), signal.SIGKILL, patience_in_seconds=2)
        return what_happened

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        started_at = time.time()
        deadline = time.monotonic() + self.service.ready_within_in_seconds
        while process.poll() is None and time.monotonic() < deadline and not self._stopping.is_set():
            with contextlib.suppress(OSError):
                if self.service.is_ready(started_at):
                    return True
            self._stopping.wait(0.2)
        return False

    def _watch(self, process: subprocess.Popen[bytes]) -> str:
        self._was_ready = True
        ready_since = time.monotonic()
        code = process.wait()
        if time.monotonic() - ready_since >= self._policy.forgiven_after_in_seconds:
            self._deaths_in_a_row = 0
        return f"ended with code {code}"

    def _explain_not_ready(self, process: subprocess.Popen[bytes]) -> str:
        code = process.poll()
        if code is None:
            self._end_process()
            what_happened = f"was not ready within {self.service.ready_within_in_seconds:g} s"
        else:
            what_happened = f"ended with code {code} before it was ready"
        # Killed from outside (negative code): bad luck, try again. Otherwise it would say the same again.
        own_fault = code is None or code >= 0
        if own_fault and not (self._was_ready or self._stopping.is_set() or self._on_request):
            self._give_up(what_happened)
        return what_happened

    def _give_up(self, what_happened: str) -> None:
        log_file = self._launcher.log_file(self.service)
        self.failure = ProgramFailed(f"{self.service.name} {what_happened}.", log_file)
        self._announce(State.FAILED)

    def _end_process(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        tree = self._remains()
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.service.stop_signal)
        try:
            process.wait(self.service.stop_within_in_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        end(tree, signal.SIGKILL, patience_in_seconds=2)

    def _remains(self) -> list[psutil.Process]:
        """The tree below the process (a database's children hide their variables), and those who left it."""
        tree = members_of(self._launcher.stack_id, program=self.service.name)
        if self._process and self._process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                tree += psutil.Process(self._process.pid).children(recursive=True)
        return tree

    def _announce(self, state: State) -> None:
        if self.state is State.FAILED:
            return
        self.state = state
        self._on_change(Change(self.service.name, state, self.restarts))
