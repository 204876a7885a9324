"""The supervisor: what it starts it keeps running, and what it kept running it ends."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from tests.unit.stack.conftest import IMPATIENT, eventually, is_free, listening, script

from enrollment_crm.stack.errors import ProgramFailed
from enrollment_crm.stack.keeper import Change, RestartPolicy, State
from enrollment_crm.stack.members import members_of
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.stack.programs import Service, Step

SLEEP = "import time; time.sleep(60)"
#: Starts a child that leaves the process group, as tasks of Airflow do, then sleeps.
WITH_A_CHILD = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def log_of(tmp_path: Path, name: str) -> str:
    file = tmp_path / "logs" / f"{name}.log"
    return file.read_text() if file.exists() else ""


def alive(process_id: int) -> bool:
    return psutil.pid_exists(process_id) and psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE


class TestSteps:
    def test_writes_to_its_log(self, supervisor: Supervisor, tmp_path: Path) -> None:
        supervisor.run(Step("say it", [sys.executable, "-c", "print('said')"]))
        assert log_of(tmp_path, "say-it") == "said\n"

    def test_runs_side_by_side(self, supervisor: Supervisor, tmp_path: Path) -> None:
        """Each waits for a file of the other: one after the other would never end."""
        meet = (
            "import pathlib, time, sys; mine, other = map(pathlib.Path, sys.argv[1:]); mine.touch()\n"
            "while not other.exists(): time.sleep(0.01)"
        )
        a, b = str(tmp_path / "a"), str(tmp_path / "b")
        supervisor.run(
            Step("first", [sys.executable, "-c", meet, a, b], deadline_in_seconds=30),
            Step("second", [sys.executable, "-c", meet, b, a], deadline_in_seconds=30),
        )

    def test_failure_shows_the_end_of_the_log(self, supervisor: Supervisor) -> None:
        with pytest.raises(ProgramFailed, match=r"(?s)migrate ended with code 3.*no such table"):
            supervisor.run(Step("migrate", [sys.executable, "-c", "print('no such table'); raise SystemExit(3)"]))

    def test_failure_ends_the_others(self, supervisor: Supervisor) -> None:
        fails = Step("fails", [sys.executable, "-c", "raise SystemExit(1)"])
        with pytest.raises(ProgramFailed):
            supervisor.run(Step("sleeps", [sys.executable, "-c", SLEEP]), fails)
        assert members_of(supervisor.stack_id) == []

    def test_deadline(self, supervisor: Supervisor) -> None:
        with pytest.raises(ProgramFailed, match=r"took longer than 0\.2 s"):
            supervisor.run(Step("sleeps", [sys.executable, "-c", SLEEP], deadline_in_seconds=0.2))
        assert members_of(supervisor.stack_id) == []


class TestServices:
    def test_is_ready_when_it_answers(self, supervisor: Supervisor, changes: list[Change]) -> None:
        supervisor.launch(listening("a"), listening("b"))
        supervisor.wait_until_ready()
        assert supervisor.states == {"a": State.READY, "b": State.READY}
        assert Change("a", State.READY, 0) in changes

    def test_killed_service_comes_back(self, supervisor: Supervisor, changes: list[Change]) -> None:
        supervisor.launch(listening("a"))
        supervisor.wait_until_ready()
        first = supervisor.processes["a"]
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: Change("a", State.READY, 1) in changes)
        assert supervisor.processes["a"] != first
        assert supervisor.restarts == {"a": 1}

    def test_children_of_a_killed_service_are_ended_before_it_comes_back(
        self, supervisor: Supervisor, tmp_path: Path
    ) -> None:
        supervisor.launch(script("parent", WITH_A_CHILD))
        assert eventually(lambda: log_of(tmp_path, "parent").endswith("\n"))
        child = int(log_of(tmp_path, "parent"))
        os.kill(supervisor.processes["parent"], signal.SIGKILL)
        assert eventually(lambda: supervisor.restarts["parent"] == 1)
        assert not alive(child)

    def test_gives_up_on_one_that_keeps_dying(self, supervisor: Supervisor) -> None:
        supervisor.launch(script("ill", "import time; time.sleep(0.3); print('ouch'); raise SystemExit(7)"))
        assert eventually(lambda: supervisor.states["ill"] is State.FAILED)
        with pytest.raises(ProgramFailed, match=r"(?s)ill ended with code 7, 4 times in a row.*ouch"):
            supervisor.check()

    def test_does_not_try_again_what_fails_by_itself_at_the_first_start(self, supervisor: Supervisor) -> None:
        supervisor.launch(script("wrong", "raise SystemExit('bad option')", is_ready=lambda _: False))
        with pytest.raises(ProgramFailed, match=r"(?s)wrong ended with code 1 before it was ready.*bad option"):
            supervisor.wait_until_ready()
        assert supervisor.restarts == {"wrong": 0}

    def test_tries_again_what_was_killed_at_the_first_start(self, supervisor: Supervisor, tmp_path: Path) -> None:
        slow = tmp_path / "may be ready"
        supervisor.launch(script("slow", SLEEP, is_ready=lambda _: slow.exists()))
        assert eventually(lambda: "slow" in supervisor.processes)
        os.kill(supervisor.processes["slow"], signal.SIGKILL)
        slow.touch()
        assert eventually(lambda: supervisor.restarts == {"slow": 1} and "slow" in supervisor.processes)
        supervisor.wait_until_ready()

    def test_not_ready_in_time(self, supervisor: Supervisor) -> None:
        deaf = Service("deaf", [sys.executable, "-c", SLEEP], lambda _: False, ready_within_in_seconds=0.3)
        supervisor.launch(deaf)
        with pytest.raises(ProgramFailed, match=r"deaf was not ready within 0\.3 s"):
            supervisor.wait_until_ready()
        assert supervisor.processes == {}

    def test_program_that_does_not_exist(self, supervisor: Supervisor) -> None:
        supervisor.launch(Service("ghost", ["/no/such/program"], lambda _: True))
        with pytest.raises(ProgramFailed, match="ghost could not be started"):
            supervisor.wait_until_ready()

    def test_restart_on_request_is_not_a_death(self, supervisor: Supervisor) -> None:
        supervisor.launch(listening("a"))
        supervisor.wait_until_ready()
        for _ in range(IMPATIENT.most_deaths + 1):
            supervisor.restart("a")
        assert supervisor.states == {"a": State.READY}

    def test_pauses_double_up_to_the_longest(self) -> None:
        policy = RestartPolicy(first_pause_in_seconds=0.5, longest_pause_in_seconds=3)
        assert [policy.pause_in_seconds(deaths) for deaths in (1, 2, 3, 4, 9)] == [0.5, 1, 2, 3, 3]


class TestStop:
    def test_leaves_nothing(self, tmp_path: Path) -> None:
        server = listening("server")
        port = int(server.command[-1])
        with Supervisor(log_directory=tmp_path / "logs") as supervisor:
            supervisor.launch(server, script("parent", WITH_A_CHILD))
            supervisor.wait_until_ready()
            assert not is_free(port)
            assert eventually(lambda: len(members_of(supervisor.stack_id)) == 3)
        assert members_of(supervisor.stack_id) == []
        assert is_free(port)

    def test_kills_what_does_not_listen(self, tmp_path: Path) -> None:
        stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\n{SLEEP}"
        with Supervisor(log_directory=tmp_path / "logs") as supervisor:
            supervisor.launch(script("stubborn", stubborn))
            assert eventually(lambda: "deaf" in log_of(tmp_path, "stubborn"))
            began = time.monotonic()
        assert members_of(supervisor.stack_id) == []
        assert 1 <= time.monotonic() - began < 10

    def test_last_started_first_stopped(self, tmp_path: Path, changes: list[Change]) -> None:
        with Supervisor(log_directory=tmp_path / "logs", on_change=changes.append) as supervisor:
            for name in ("database", "scheduler"):
                supervisor.launch(listening(name))
                supervisor.wait_until_ready()
        stopped = [change.program for change in changes if change.state is State.STOPPED]
        assert stopped == ["scheduler", "database"]

    def test_while_something_still_starts(self, tmp_path: Path) -> None:
        with Supervisor(log_directory=tmp_path / "logs") as supervisor:
            supervisor.launch(script("slow", SLEEP, is_ready=lambda _: False))
        assert members_of(supervisor.stack_id) == []

    def test_ends_its_threads(self, tmp_path: Path) -> None:
        before = threading.active_count()
        with Supervisor(log_directory=tmp_path / "logs") as supervisor:
            supervisor.launch(listening())
        assert eventually(lambda: threading.active_count() == before)

    def test_keeps_the_logs_of_the_run_before(self, tmp_path: Path) -> None:
        for word in ("first", "second"):
            with Supervisor(log_directory=tmp_path / "logs") as supervisor:
                supervisor.run(Step("say", [sys.executable, "-c", f"print({word!r})"]))
        assert (log_of(tmp_path, "say"), log_of(tmp_path, "say.previous")) == ("second\n", "first\n")
