"""The supervisor: owns every process of a stack from its start to its end."""

import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from enrollment_crm.stack.errors import ProgramFailed
from enrollment_crm.stack.guardian import Guardian
from enrollment_crm.stack.keeper import Change, Keeper, RestartPolicy, State
from enrollment_crm.stack.launch import Launcher, environment_for_children
from enrollment_crm.stack.members import end, members_of
from enrollment_crm.stack.programs import Service, Step


def new_stack_id() -> str:
    """The mark of one stack's processes."""
    return uuid.uuid4().hex


def ignore_changes(_: Change) -> None:
    """Nobody watches the changes."""


class Supervisor:
    """Runs steps, keeps services running, and leaves nothing behind: a context manager.

    `on_change` is called from several threads.
    """

    def __init__(
        self,
        *,
        log_directory: Path,
        environment: Mapping[str, str] | None = None,
        stack_id: str | None = None,
        policy: RestartPolicy | None = None,
        on_change: Callable[[Change], None] = ignore_changes,
    ) -> None:
        self.stack_id = stack_id or new_stack_id()
        self._launcher = Launcher(
            self.stack_id, log_directory, environment_for_children() if environment is None else environment
        )
        self._policy = policy or RestartPolicy()
        self._on_change = on_change
        #: In the order of their start; those of one group are started together and are stopped together.
        self._groups: list[list[Keeper]] = []
        self._guardian: Guardian | None = None

    def __enter__(self) -> Self:
        self._launcher.put_aside_old_logs()
        self._guardian = Guardian(self.stack_id, log_file=self._launcher.log_directory / "guardian.log")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def processes(self) -> dict[str, int]:
        """Process ids of the services that run now, by name."""
        running = {keeper.service.name: keeper.process_id for keeper in self._keepers}
        return {name: process_id for name, process_id in running.items() if process_id is not None}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each service was started again."""
        return {keeper.service.name: keeper.restarts for keeper in self._keepers}

    @property
    def states(self) -> dict[str, State]:
        """Where each service stands."""
        return {keeper.service.name: keeper.state for keeper in self._keepers}

    def run(self, *steps: Step) -> None:
        """Run the steps side by side until all have ended well. Raises ProgramFailed when one has not."""
        running = {step.name: self._begin(step) for step in steps}
        started = time.monotonic()
        try:
            while running:
                for step in steps:
                    if step.name in running and self._has_ended(step, running[step.name], started):
                        del running[step.name]
                time.sleep(0.05)
        finally:
            for step in steps:
                if step.name in running:
                    end(members_of(self.stack_id, program=step.name), signal.SIGKILL, patience_in_seconds=2)
                    running[step.name].wait()

    def launch(self, *services: Service) -> None:
        """Start the services together and return at once."""
        group = [self._keeper_of(service) for service in services]
        self._groups.append(group)
        for keeper in group:
            keeper.start()

    def wait_until_ready(self) -> None:
        """Wait until every service is ready. Raises ProgramFailed when one cannot be had."""
        while any(keeper.state is not State.READY for keeper in self._keepers):
            self.check()
            time.sleep(0.05)

    def check(self) -> None:
        """Raise ProgramFailed when a service has died too often to be started again."""
        for keeper in self._keepers:
            if keeper.failure:
                raise keeper.failure

    def restart(self, name: str) -> None:
        """Stop one service properly and wait until it is back."""
        next(keeper for keeper in self._keepers if keeper.service.name == name).restart()
        self.wait_until_ready()

    def stop(self) -> None:
        """Stop everything, what was started last first; the guardian looks for what is left and goes."""
        while self._groups:
            group = self._groups.pop()
            threads = [threading.Thread(target=keeper.stop) for keeper in group]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self._guardian:
            self._guardian.dismiss()
            self._guardian = None

    @property
    def _keepers(self) -> Sequence[Keeper]:
        return [keeper for group in self._groups for keeper in group]

    def _keeper_of(self, service: Service) -> Keeper:
        return Keeper(service, self._launcher, policy=self._policy, on_change=self._on_change)

    def _begin(self, step: Step) -> subprocess.Popen[bytes]:
        self._on_change(Change(step.name, State.STARTING))
        return self._launcher.spawn(step)

    def _has_ended(self, step: Step, process: subprocess.Popen[bytes], started: float) -> bool:
        code = process.poll()
        if code is None and time.monotonic() - started < step.deadline_in_seconds:
            return False
        if code == 0:
            self._on_change(Change(step.name, State.DONE))
            return True
        self._on_change(Change(step.name, State.FAILED))
        problem = f"took longer than {step.deadline_in_seconds:g} s" if code is None else f"ended with code {code}"
        raise ProgramFailed(f"{step.name} {problem}.", self._launcher.log_file(step))
