"""What can go wrong while the stack starts or runs; each message says what to do next."""

from pathlib import Path


class StackError(Exception):
    """The stack cannot go on. Trying again helps only after what the message asks for was done."""


class PortTaken(StackError):
    """Raised before anything starts: a port that the settings fix belongs to another program."""


class HostUnusable(StackError):
    """Raised before anything starts: a host of the settings has no address, or none of this machine."""


class AlreadyRunning(StackError):
    """Raised before anything starts: another stack owns this state directory."""


class NotForProduction(StackError):
    """Raised before anything starts: this stack's login is made for one developer's machine."""


class ProgramFailed(StackError):
    """A step failed, or a service does not get ready or dies too often. The message ends with its log."""

    def __init__(self, what: str, log_file: Path) -> None:
        super().__init__(f"{what}\nThe end of its log ({log_file}):\n{_last_lines(log_file)}")


def _last_lines(log_file: Path, *, count: int = 15, at_most_bytes: int = 8_000) -> str:
    try:
        tail = log_file.read_bytes()[-at_most_bytes:].decode("utf-8", errors="replace")
    except FileNotFoundError:
        return "    (it wrote nothing)"
    return "\n".join(f"    {line}" for line in tail.splitlines()[-count:]) or "    (it wrote nothing)"
