"""`enrollment-crm up`, the real one: PostgreSQL, Airflow, public app and mailbox, from empty to stopped."""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from sqlalchemy import create_engine, text
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.members import members_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

#: Long enough for a loaded machine; on a quiet one all is up in half of a minute.
PATIENCE_IN_SECONDS = 120
UP = [sys.executable, "-m", "enrollment_crm.cli", "up"]


@dataclass
class RunningUp:
    """The command and what it has printed."""

    process: subprocess.Popen[str]
    facts: dict[str, Any]
    state_directory: Path

    @property
    def stack_id(self) -> str:
        return str(json.loads((self.state_directory / "stack.lock").read_text())["stack_id"])

    def members(self, program: str) -> list[psutil.Process]:
        return members_of(self.stack_id, program=program)

    def airflow_health(self) -> dict[str, Any]:
        answer = requests.get(f"{self.facts['airflow_url']}/api/v2/monitor/health", timeout=10)
        health: dict[str, Any] = answer.json()
        return health


def environment_of(state_directory: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    return {**inherited, "CRM_STATE_DIRECTORY": str(state_directory), **more}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    """`up --json`, from an empty state directory."""
    state_directory = tmp_path_factory.mktemp("stack")
    process = subprocess.Popen(
        [*UP, "--json"], env=environment_of(state_directory), stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "`up` ended before it was ready: see its output"
        yield RunningUp(process, json.loads(line), state_directory)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def words_of(ended: subprocess.CompletedProcess[str]) -> str:
    """What the command has said, however its lines were broken."""
    return " ".join((ended.stdout + ended.stderr).split())


def recovers(condition: Callable[[], bool]) -> bool:
    def holds() -> bool:
        try:
            return condition()
        except (requests.RequestException, OSError, KeyError):
            return False

    return eventually(holds, within_in_seconds=PATIENCE_IN_SECONDS)


def test_everything_is_up(running: RunningUp) -> None:
    parts = running.airflow_health()
    assert parts.keys() == {"metadatabase", "scheduler", "triggerer", "dag_processor"}
    assert {part["status"] for part in parts.values()} == {"healthy"}
    assert requests.get(f"{running.facts['public_url']}/health/ready", timeout=10).status_code == 200


def test_the_printed_login_works_and_no_other(running: RunningUp) -> None:
    login = {"username": running.facts["airflow_user"], "password": running.facts["airflow_password"]}
    url = f"{running.facts['airflow_url']}/auth/token"
    assert "access_token" in requests.post(url, json=login, timeout=30).json()
    assert requests.post(url, json={**login, "password": "guess"}, timeout=30).status_code == 401


def test_children_know_the_database_and_the_mailbox(running: RunningUp) -> None:
    (scheduler, *_) = running.members("scheduler")
    environment = scheduler.environ()
    assert environment["CRM_DATABASE_URL"] == running.facts["database_url"]
    assert environment["CRM_PUBLIC_URL"] == running.facts["public_url"]
    assert environment["CRM_ACCEPT_LOG_DIRECTORY"] == running.facts["mail_directory"]
    with smtplib.SMTP("127.0.0.1", int(environment["CRM_SMTP_PORT"]), timeout=10) as session:
        session.sendmail("a@crm.example", ["b@people.example"], b"Subject: x\r\n\r\ny\r\n")
    assert len(list((Path(running.facts["mail_directory"]) / "new").iterdir())) == 1


def test_a_second_one_is_refused(running: RunningUp) -> None:
    second = subprocess.run(
        UP, env=environment_of(running.state_directory), capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 2
    said = words_of(second)
    assert f"process {running.process.pid}" in said
    assert "CRM_STATE_DIRECTORY" in said


def test_a_taken_port_is_named(running: RunningUp, tmp_path: Path) -> None:
    port = running.facts["public_url"].rpartition(":")[2]
    second = subprocess.run(
        UP,
        env=environment_of(tmp_path, CRM_PUBLIC_PORT=port),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 2
    said = words_of(second)
    assert f"Port {port}" in said
    assert "CRM_PUBLIC_PORT" in said


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_host_of_another_machine_is_named(command: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [*UP[:-1], command],
        env=environment_of(tmp_path, CRM_PUBLIC_HOST="192.0.2.1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "Nothing can listen on 192.0.2.1" in words_of(ended)
    assert "Set CRM_PUBLIC_HOST" in words_of(ended)


@pytest.mark.slow
def test_killed_database_comes_back(running: RunningUp) -> None:
    (server,) = running.members("postgresql")
    server.kill()
    assert recovers(lambda: [one.pid for one in running.members("postgresql")] not in ([], [server.pid]))
    engine = create_engine(running.facts["database_url"])
    assert recovers(lambda: requests.get(f"{running.facts['public_url']}/health/ready", timeout=10).ok)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


@pytest.mark.slow
def test_killed_scheduler_comes_back_and_its_workers_do_not_stay(running: RunningUp) -> None:
    # It may have been started anew a moment ago, as it ends when the database does.
    assert recovers(lambda: len(running.members("scheduler")) > 1)
    before = running.members("scheduler")
    parents = [one for one in before if one.ppid() == running.process.pid]
    assert len(before) > len(parents) == 1
    beat = running.airflow_health()["scheduler"]["latest_scheduler_heartbeat"]
    parents[0].kill()
    assert recovers(lambda: not any(one.is_running() for one in before))
    assert recovers(lambda: len(running.members("scheduler")) > 0)
    assert recovers(lambda: running.airflow_health()["scheduler"]["latest_scheduler_heartbeat"] > beat)


def test_ctrl_c_leaves_nothing(running: RunningUp) -> None:
    stack_id = running.stack_id
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=60) == 0
    assert members_of(stack_id) == []
    assert json.loads((running.state_directory / "stack.lock").read_text()) == {}
