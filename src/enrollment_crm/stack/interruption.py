"""Ctrl-C, `kill` and a closed terminal all mean the same: stop properly."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt; later ones do not disturb the stop."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to outlive the terminal
        wanted.append(signal.SIGHUP)

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for name in wanted:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    former = {name: signal.signal(name, interrupt) for name in wanted}
    try:
        yield
    finally:
        for name, handler in former.items():
            signal.signal(name, handler)
