"""Turns a step or a service into a process: its own session and log, and the variables of a member."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enrollment_crm.stack.members import PROCESS_VARIABLE, STACK_VARIABLE
from enrollment_crm.stack.programs import Service, Step


@dataclass(frozen=True)
class Launcher:
    """Spawns the processes of one stack."""

    stack_id: str
    log_directory: Path
    environment: Mapping[str, str]

    def spawn(self, program: Step | Service) -> subprocess.Popen[bytes]:
        """Start the program in a session of its own: Ctrl-C in the terminal reaches the supervisor only."""
        account = program.account
        with self.log_file(program).open("ab") as log:
            return subprocess.Popen(
                list(program.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment_of(program),
                cwd=program.working_directory,
                start_new_session=True,
                user=account.user_id if account else None,
                group=account.group_id if account else None,
                extra_groups=[] if account else None,
            )

    def log_file(self, program: Step | Service) -> Path:
        """Everything that the program writes goes there."""
        return self.log_directory / f"{program.name.replace(' ', '-')}.log"

    def put_aside_old_logs(self) -> None:
        """Keep the logs of the run before under *.previous.log: a log on screen is about this run."""
        self.log_directory.mkdir(parents=True, exist_ok=True)
        for log in self.log_directory.glob("*.log"):
            if not log.name.endswith(".previous.log"):
                log.replace(log.with_name(f"{log.stem}.previous.log"))

    def _environment_of(self, program: Step | Service) -> dict[str, str]:
        marks = {STACK_VARIABLE: self.stack_id, PROCESS_VARIABLE: program.name}
        return {**self.environment, "SPT_NOENV": "1", **program.environment, **marks}


def environment_for_children() -> dict[str, str]:
    """The environment of this process as its children should see it.

    Loopback needs no proxy; Airflow listens to no variable but those that the stack sets; children write
    bytecode, or each of them would compile Great Expectations again.
    """
    unwanted = ("AIRFLOW", "_AIRFLOW", "CRM_", "PYTHONDONTWRITEBYTECODE", "NOTIFY_SOCKET")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    loopback = "127.0.0.1,localhost"
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = ",".join(filter(None, (os.environ.get(name), loopback)))
    return kept
