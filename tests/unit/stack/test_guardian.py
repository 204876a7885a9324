"""kill -9 of the supervisor, at several moments: its guardian ends all that it had started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.guardian import Guardian
from enrollment_crm.stack.members import members_of

#: Owns a database that needs a moment to stop well, and a server with a child that left its group.
SUPERVISOR = """
import signal, sys, time
from pathlib import Path
from enrollment_crm.stack.processes import Supervisor
from tests.unit.stack.conftest import script
from tests.unit.stack.test_supervisor import WITH_A_CHILD
folder, stack_id = Path(sys.argv[1]), sys.argv[2]
database = '''
import signal, sys, time, pathlib
def stop(*_):
    time.sleep(0.3)
    pathlib.Path(sys.argv[1]).touch()
    raise SystemExit
signal.signal(signal.SIGINT, stop)
print("up", flush=True)
time.sleep(60)
'''
with Supervisor(log_directory=folder / "logs", stack_id=stack_id) as supervisor:
    from dataclasses import replace
    service = script("postgresql", database)
    service = replace(service, command=[*service.command, str(folder / "stopped well")])
    print("guarded", flush=True)
    supervisor.launch(service)
    print("launched", flush=True)
    supervisor.wait_until_ready()
    while "up" not in (folder / "logs" / "postgresql.log").read_text(): time.sleep(0.01)
    supervisor.launch(script("server", WITH_A_CHILD))
    while not (folder / "logs" / "server.log").exists() or not (folder / "logs" / "server.log").read_text():
        time.sleep(0.01)
    print("ready", flush=True)
    time.sleep(60)
"""


def start(folder: Path, stack_id: str, *, until: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(folder), stack_id], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while until not in process.stdout.readline():
        assert process.poll() is None
    return process


@pytest.mark.parametrize("moment", ["guarded", "launched", "ready"])
def test_killed_supervisor_leaves_nothing(tmp_path: Path, stack_id: str, moment: str) -> None:
    process = start(tmp_path, stack_id, until=moment)
    if moment == "ready":
        assert len(members_of(stack_id)) == 3
    process.kill()
    process.communicate()
    assert guardians_of(stack_id)
    assert eventually(lambda: guardians_of(stack_id) == [])
    assert members_of(stack_id) == []


def test_database_is_stopped_properly(tmp_path: Path, stack_id: str) -> None:
    process = start(tmp_path, stack_id, until="ready")
    process.kill()
    process.communicate()
    assert eventually(lambda: guardians_of(stack_id) == [])
    assert (tmp_path / "stopped well").exists()
    assert "the 3 processes of its stack were ended" in (tmp_path / "logs" / "guardian.log").read_text()


def test_killed_guardian_is_replaced(tmp_path: Path, stack_id: str) -> None:
    with Guardian(stack_id, log_file=tmp_path / "guardian.log") as guardian:
        first = guardian.process_id
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: guardian.process_id != first)
        assert guardians_of(stack_id) == [guardian.process_id]
    assert eventually(lambda: guardians_of(stack_id) == [])


def test_dismissed_guardian_has_nothing_to_tell(tmp_path: Path, stack_id: str) -> None:
    with Guardian(stack_id, log_file=tmp_path / "guardian.log"):
        pass
    assert (tmp_path / "guardian.log").read_text() == ""


def guardians_of(stack_id: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if [Guardian.__module__, stack_id] == (process.info["cmdline"] or [])[-2:]
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
