"""A Maildir that keeps what it is given: written, synced, renamed from tmp/ to new/, the folder synced too."""

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path


class Maildir:
    """Keeps messages for good. Safe for several writers, in one process or many."""

    def __init__(self, directory: Path, *, suffix: str = "") -> None:
        """``suffix`` ends the name of every file, so that programs know what it is."""
        self._directory, self._suffix = directory, suffix
        self._numbers = itertools.count()
        for folder in ("tmp", "new", "cur"):
            (directory / folder).mkdir(parents=True, exist_ok=True)

    def keep(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> None:
        """Put the message into new/: its envelope as headers, then every byte of the message as it came."""
        name = f"{time.time_ns()}.P{os.getpid()}Q{next(self._numbers)}.localhost{self._suffix}"
        unfinished = self._directory / "tmp" / name
        with unfinished.open("xb") as file:
            file.write(_envelope_headers(sender, recipients) + content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._directory / "new" / name)
        _sync_folder(self._directory / "new")


def _envelope_headers(sender: str, recipients: Sequence[str]) -> bytes:
    # aiosmtpd gives the empty sender of a bounce as "<>", every other one without its brackets.
    lines = [f"Return-Path: <{sender.strip('<>')}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", errors="surrogateescape")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
