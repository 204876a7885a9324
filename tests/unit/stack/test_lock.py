"""One stack per state directory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.errors import AlreadyRunning
from enrollment_crm.stack.lock import only_stack_of
from enrollment_crm.stack.members import PROCESS_VARIABLE, STACK_VARIABLE, members_of

HOLD = """
import sys, time
from pathlib import Path
from enrollment_crm.stack.lock import only_stack_of
with only_stack_of(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(directory: Path, stack_id: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory), stack_id], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_second_stack_is_refused(tmp_path: Path, stack_id: str) -> None:
    process = holder(tmp_path, stack_id)
    try:
        with pytest.raises(AlreadyRunning) as caught, only_stack_of(tmp_path, "second"):
            pass
    finally:
        process.kill()
        process.communicate()
    message = str(caught.value)
    assert f"already running in {tmp_path} (process {process.pid})" in message
    assert f"`kill {process.pid}`" in message
    assert "CRM_STATE_DIRECTORY=" in message


def test_refused_stack_does_not_end_the_living_one(tmp_path: Path, stack_id: str) -> None:
    process = holder(tmp_path, stack_id)
    try:
        for _ in range(2):
            with pytest.raises(AlreadyRunning, match=f"process {process.pid}"), only_stack_of(tmp_path, "second"):
                pass
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_killed_stack_gives_way_and_its_leftovers_are_ended(tmp_path: Path, stack_id: str) -> None:
    process = holder(tmp_path, stack_id)
    process.kill()
    process.communicate()
    marks = {STACK_VARIABLE: stack_id, PROCESS_VARIABLE: "orphan"}
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, **marks})
    assert eventually(lambda: bool(members_of(stack_id)))
    with only_stack_of(tmp_path, "next"):
        assert members_of(stack_id) == []
    assert orphan.wait() != 0


def test_one_after_the_other(tmp_path: Path) -> None:
    for stack_id in ("first", "second"):
        with only_stack_of(tmp_path / "new" / "folder", stack_id):
            pass


def test_record_that_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "stack.lock").write_text('{"process_id": 12, "sta')
    with only_stack_of(tmp_path, "next"):
        pass


def test_one_that_is_interrupted_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), only_stack_of(tmp_path, "interrupted"):
        raise KeyboardInterrupt
    assert json.loads((tmp_path / "stack.lock").read_text()) == {}
