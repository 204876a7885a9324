"""One stack per state directory. What a stack left that could not clean up after itself is ended first."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from enrollment_crm.stack.errors import AlreadyRunning, StackError
from enrollment_crm.stack.members import end_stack


@contextlib.contextmanager
def only_stack_of(state_directory: Path, stack_id: str) -> Iterator[None]:
    """Own the state directory. The system gives the lock back when this process ends, however it ends.

    Raises AlreadyRunning when a living stack owns it.
    """
    try:
        state_directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"{state_directory} cannot be made ({error.strerror}): correct CRM_STATE_DIRECTORY."
        ) from error
    with (state_directory / "stack.lock").open("a+", encoding="utf-8") as file:
        _acquire(file, state_directory)
        former = _read(file).get("stack_id")
        if former:
            end_stack(str(former))
        _write(file, {"process_id": os.getpid(), "stack_id": stack_id})
        try:
            yield
        finally:  # whoever leaves has ended its processes, whatever made it leave
            _write(file, {})


def _acquire(file: IO[str], state_directory: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = _read(file).get("process_id", "unknown")
        raise AlreadyRunning(
            f"A stack is already running in {state_directory} (process {owner}). "
            "Stop that one with Ctrl-C in its terminal, or with `kill "
            f"{owner}`; or give this one its own place: CRM_STATE_DIRECTORY=/another/folder."
        ) from error


def _read(file: IO[str]) -> dict[str, object]:
    file.seek(0)
    try:
        record = json.loads(file.read() or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _write(file: IO[str], record: dict[str, object]) -> None:
    file.seek(0)
    file.truncate()
    json.dump(record, file)
    file.flush()
