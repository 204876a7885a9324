"""Ctrl-C, `kill`, a closed terminal, and the end of the `make` that started us all mean the same: stop properly."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

from enrollment_crm.stack.members import is_alive

_LOOK_EVERY_IN_SECONDS = 0.5
Sign = Callable[[], bool]


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


@contextmanager
def stopped_when_deserted(starter: int | None = None) -> Iterator[None]:
    """Ask ourselves to stop when what would have asked has gone without a word. For the main thread.

    Those are the process that started us, where it says who it is (make, killed with -9, tells nobody), and the
    terminal that we are at work in the foreground of: the system tells its session's leader alone that it was closed,
    and a leader that is make waits for us instead. Whoever was put into the background or under nohup stays: it is for
    the shell to tell those, and it does unless they were disowned.

    Args:
        starter: process id.
    """
    main, ended = threading.get_ident(), threading.Event()
    with contextlib.ExitStack() as looking:
        signs = [_end_of(starter), looking.enter_context(_hang_up())]

        def watch() -> None:
            while not ended.wait(_LOOK_EVERY_IN_SECONDS):
                if any(sign() for sign in signs):
                    signal.pthread_kill(main, signal.SIGTERM)  # to that thread: it wakes from what it waits for
                    return

        watcher = threading.Thread(target=watch, name="watch for the end of who started us", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _never() -> bool:
    return False


def _end_of(process_id: int | None) -> Sign:
    """Whether the process has ended; another one that gets its number later is not taken for it."""
    if process_id is None:
        return _never
    try:
        process = psutil.Process(process_id)
    except psutil.NoSuchProcess:
        return lambda: True
    return lambda: not is_alive(process)


@contextmanager
def _hang_up() -> Iterator[Sign]:
    """Whether the terminal was closed while we were in its foreground."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        yield _never
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:  # there is none
        yield _never
        return
    was_in_foreground = False

    def is_closed() -> bool:
        nonlocal was_in_foreground
        try:
            was_in_foreground = os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return was_in_foreground
        return False

    is_closed()
    try:
        yield is_closed
    finally:
        os.close(terminal)
