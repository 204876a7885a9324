"""What the stack runs: steps that end, services that stay. Data only; `processes.py` runs them."""

import http.client
import signal
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def nothing() -> None:
    """There is nothing to prepare."""


@dataclass(frozen=True)
class Account:
    """The user of the operating system that a program runs as."""

    user_id: int
    group_id: int


@dataclass(frozen=True)
class Step:
    """A command that must end with 0 before the stack goes on."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    deadline_in_seconds: float = 300
    working_directory: Path | None = None
    account: Account | None = None


@dataclass(frozen=True)
class Service:
    """A command that stays. Its variables come on top of the environment of the whole stack."""

    name: str
    command: Sequence[str]
    #: Whether it does its work by now. Given: when its process was started (seconds since 1970). OSError: no.
    is_ready: Callable[[float], bool]
    #: Done before every start, the first and the later ones; an OSError means that it cannot be started.
    prepare: Callable[[], None] = nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Generous: a busy machine with two cores takes minutes where a quiet one takes seconds.
    ready_within_in_seconds: float = 240
    stop_signal: signal.Signals = signal.SIGTERM
    #: From the stop signal to SIGKILL for the whole tree.
    stop_within_in_seconds: float = 8
    working_directory: Path | None = None
    account: Account | None = None


#: The stack lives on loopback: no proxy of the environment has a say there.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str, *, timeout_in_seconds: float = 2) -> bytes:
    """Body of a page of a service on this machine. Raises OSError for no page and for an error page."""
    try:
        with _OPENER.open(url, timeout=timeout_in_seconds) as response:
            body: bytes = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{url} does not speak HTTP: {error}") from error
    return body


def answers(url: str) -> Callable[[float], bool]:
    """Readiness: the page is there and is no error."""

    def is_ready(_started_at: float) -> bool:
        fetch(url)
        return True

    return is_ready
