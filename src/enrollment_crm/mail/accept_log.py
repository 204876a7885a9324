"""The memory of a relay: which Message-IDs it has accepted. Asked about messages whose outcome is unknown."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\r\n]+>)", re.IGNORECASE | re.MULTILINE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_CHUNK_IN_BYTES = 16_384


class AcceptLog(Protocol):
    """Answers by Message-ID: a Protocol because relays remember in several ways."""

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        """Whether the relay took the message; None: the log cannot tell. See `Transport.was_accepted`."""

    def last_entry_at(self) -> datetime | None:
        """When the relay wrote last, in UTC; None: there is nothing to read."""


class MaildirAcceptLog:
    """Answers by Message-ID from a Maildir that the relay writes to before it says 250.

    What it has read it remembers: each question reads only the files that arrived since the last one, and a
    message stays accepted after its file was moved or deleted.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read_files: set[str] = set()
        self._accepted: set[bytes] = set()

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:  # noqa: ARG002
        """Whether the Maildir has, or had, the message; None: there is no Maildir to ask."""
        if message_id.encode() in self._accepted:
            return True
        folders = [self._directory / "new", self._directory / "cur"]
        if not all(folder.is_dir() for folder in folders):
            return None
        for folder in folders:
            self._read_arrivals(folder)
        return message_id.encode() in self._accepted

    def last_entry_at(self) -> datetime | None:
        """When a message was last put into new/, or moved to cur/."""
        folders = [self._directory / "new", self._directory / "cur"]
        changed = [folder.stat().st_mtime for folder in folders if folder.is_dir()]
        return datetime.fromtimestamp(max(changed), UTC) if changed else None

    def _read_arrivals(self, folder: Path) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                # The name before the colon is the message; what follows are its flags.
                unique_name = entry.name.partition(":")[0]
                if unique_name not in self._read_files:
                    self._remember(Path(entry.path), unique_name)

    def _remember(self, path: Path, unique_name: str) -> None:
        try:
            headers = _headers_of(path)
        except FileNotFoundError:
            return  # moved to cur/ between the listing and now: read there, or next time
        self._read_files.add(unique_name)
        if match := _MESSAGE_ID.search(headers):
            self._accepted.add(match[1])


def _headers_of(path: Path) -> bytes:
    headers = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_IN_BYTES):
            headers += chunk
            if _END_OF_HEADERS.search(headers):
                break
    return _END_OF_HEADERS.split(headers, maxsplit=1)[0]
