"""What asks for a stop: signals, and what has gone without one."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.members import is_alive

PROGRAM = """
import signal, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests were started with nohup
from enrollment_crm.stack.interruption import stopped_by_signals
try:
    with stopped_by_signals():
        try:
            print("running", flush=True)
            time.sleep(60)
        finally:
            print("stopping", flush=True)
            time.sleep(0.5)
            print("stopped", flush=True)
except KeyboardInterrupt as reason:
    print(reason)
"""

#: Writes its process id when it runs, and removes the file when it was asked to stop.
DESERTED = """
import os, sys, time
from pathlib import Path
from enrollment_crm.stack.interruption import stopped_by_signals, stopped_when_deserted
mark = Path(sys.argv[1])
with stopped_by_signals(), stopped_when_deserted(int(sys.argv[2]) if sys.argv[2:] else None):
    mark.with_suffix(".part").write_text(str(os.getpid()))
    mark.with_suffix(".part").rename(mark)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        mark.unlink()
"""

#: As make does as the leader of a session: hears that the terminal was closed, tells nobody, and waits.
LEADER = """
import os, signal, subprocess, sys
how, *command = sys.argv[1:]
signal.signal(signal.SIGHUP, signal.SIG_IGN if how == "nohup" else lambda *_: None)
group = 0 if how == "background" else None
subprocess.Popen(command, process_group=group, stdin=None if how == "terminal" else subprocess.DEVNULL).wait()
"""

#: Many times as long as it takes to notice.
LONG_ENOUGH_IN_SECONDS = 3


def run(*signals: signal.Signals) -> str:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signals[0])
    assert process.stdout.readline() == "stopping\n"
    for later in signals[1:]:
        process.send_signal(later)
    output, _ = process.communicate(timeout=20)
    return output


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_of_them_stops_properly(one: signal.Signals) -> None:
    assert run(one) == f"stopped\n{one.name}\n"


def test_a_second_one_does_not_disturb_the_stop() -> None:
    assert run(signal.SIGINT, signal.SIGINT, signal.SIGTERM) == "stopped\nSIGINT\n"


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """Of a program that runs."""
    return tmp_path / "running"


def is_running(mark: Path) -> bool:
    """Whether it has begun and nothing has asked it to stop."""
    return mark.exists()


def stays(mark: Path) -> bool:
    """Whether it goes on for long; it is ended then."""
    stopped = eventually(lambda: not is_running(mark), within_in_seconds=LONG_ENOUGH_IN_SECONDS)
    if not stopped:
        process = psutil.Process(int(mark.read_text()))
        process.kill()
        eventually(lambda: not is_alive(process))
    return not stopped


def start(mark: Path, *starter: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DESERTED, str(mark), *starter])


def test_the_end_of_who_started_it_stops_it(mark: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as starter:
        process = start(mark, str(starter.pid))
        assert eventually(lambda: is_running(mark))
        starter.kill()
        # Nobody has taken the dead one away yet: dead it is nevertheless.
        assert process.wait(timeout=10) == 0
    assert not is_running(mark)


def test_who_started_it_may_have_gone_before_it_looks(mark: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", ""])
    starter.wait()
    assert start(mark, str(starter.pid)).wait(timeout=20) == 0
    assert not is_running(mark)


def test_a_script_that_ends_leaves_what_it_put_into_the_background(mark: Path) -> None:
    # It ends once the other has seen whose child it is.
    words = '"$@" & until [ -e "$0" ]; do sleep 0.1; done; sleep 1'
    subprocess.run(["sh", "-c", words, str(mark), sys.executable, "-c", DESERTED, str(mark)], check=True, timeout=30)
    assert is_running(mark)
    assert stays(mark)


def outlives_its_terminal(how: str, mark: Path) -> bool:
    """Start it in a terminal of its own and close that; the leader of the session lives on."""
    leader, terminal = pty.fork()
    if leader == 0:
        os.execv(sys.executable, [sys.executable, "-c", LEADER, how, sys.executable, "-c", DESERTED, str(mark)])
    assert eventually(lambda: is_running(mark))
    os.close(terminal)
    try:
        return stays(mark)
    finally:
        os.kill(leader, signal.SIGKILL)
        os.waitpid(leader, 0)


@pytest.mark.parametrize("how", ["terminal", "redirected"])
def test_a_closed_terminal_stops_it_though_nobody_tells(how: str, mark: Path) -> None:
    assert not outlives_its_terminal(how, mark)


@pytest.mark.parametrize("how", ["background", "nohup"])
def test_whoever_was_to_outlive_the_terminal_does(how: str, mark: Path) -> None:
    assert outlives_its_terminal(how, mark)
