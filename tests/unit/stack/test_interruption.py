"""Signals that ask for a stop."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, time
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
