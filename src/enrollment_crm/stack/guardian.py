"""A small process that outlives a supervisor that was killed with -9, and ends the stack in its place.

It holds the reading end of a pipe whose writing end only the supervisor has. The pipe ends with the
supervisor, whatever ended that. After a clean stop there is nothing left to end, and the guardian just goes.
"""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from enrollment_crm.stack.launch import environment_for_children
from enrollment_crm.stack.members import end_stack


class Guardian:
    """The supervisor's handle on its guardian. A guardian that is killed is replaced."""

    def __init__(self, stack_id: str, *, log_file: Path) -> None:
        self._stack_id = stack_id
        self._log_file = log_file
        self._dismissed = False
        self._replacing = threading.Lock()
        self._process = self._spawn()
        threading.Thread(target=self._replace_when_killed, name="keeper of the guardian", daemon=True).start()

    @property
    def process_id(self) -> int:
        """Of the guardian that watches now."""
        return self._process.pid

    def dismiss(self) -> None:
        """Let the guardian do its last look and wait until it has gone."""
        with self._replacing:
            self._dismissed = True
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", __name__, self._stack_id],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment_for_children(),
                start_new_session=True,
            )

    def _replace_when_killed(self) -> None:
        while True:
            self._process.wait()
            with self._replacing:
                if self._dismissed:
                    return
                self._process = self._spawn()


def main(stack_id: str) -> None:
    """Wait for the end of the supervisor, then end its stack."""
    for deaf_to in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(deaf_to, signal.SIG_IGN)
    sys.stdin.buffer.read()
    ended = end_stack(stack_id)
    if ended:
        sys.stdout.write(f"The supervisor was killed; the {ended} processes of its stack were ended.\n")


if __name__ == "__main__":
    main(sys.argv[1])
