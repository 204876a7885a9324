"""Postfix's own log as the accept log: which Message-IDs its queue took in.

``cleanup`` names the Message-ID while the content still arrives; the connection may break after that. So a message
counts as accepted when its queue id was seen by the queue manager, or in a line about its delivery: then the queue
file was complete on the disk, which is what Postfix says 250 to.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from enrollment_crm.mail.postfix_times import timestamp_of

_LINE = re.compile(rb"postfix(?:/[\w.-]+)*/(\w+)\[\d+\]: ([0-9A-Za-z]+): (.*)")
_MESSAGE_ID = re.compile(rb"(?:resent-)?message-id=(<[^<>\s]+>)")
#: Words of the daemons that see a message only once it is in the queue.
_IN_QUEUE = re.compile(
    rb"from=<[^>]*>, size=\d+, nrcpt=\d+ \(queue active\)|.*\bstatus=(?:sent|deferred|bounced|expired)"
)
_DISCARDED = re.compile(rb"milter-reject: END-OF-MESSAGE|reject: (?:header|body|mime|nested)|discard:", re.IGNORECASE)
_GZIP = ".gz"


@dataclass
class PostfixAcceptLog:
    """Reads a log and its rotated predecessors; each question reads only what was written since the last one.

    A message stays accepted after its lines were rotated away. Queue ids are used again by Postfix: a new Message-ID
    under one replaces the old.
    """

    path: Path
    _read_up_to: dict[int, int] = field(default_factory=dict)
    _accepted: set[bytes] = field(default_factory=set)
    #: Named by cleanup, not seen in the queue yet.
    _open: dict[bytes, bytes] = field(default_factory=dict)
    _first_entry_at: datetime | None = None
    _last_entry_at: datetime | None = None

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        """Whether the queue took the message.

        None: the log cannot be read, holds nothing of Postfix, begins after ``since``, or saw the content arrive and
        not what became of it.
        """
        sought = message_id.encode()
        if not self._catch_up():
            return True if sought in self._accepted else None
        if sought in self._accepted:
            return True
        if sought in self._open.values() or self._begins_after(since):
            return None
        return False

    def last_entry_at(self) -> datetime | None:
        """When Postfix wrote its last line, in UTC."""
        self._catch_up()
        return self._last_entry_at

    def _begins_after(self, since: datetime | None) -> bool:
        first = self._first_entry_at
        return since is not None and first is not None and first > since

    def _catch_up(self) -> bool:
        """Read what is new, the oldest file first; whether there is a log of Postfix at all."""
        try:
            for file in _generations(self.path):
                self._read(file)
        except (OSError, EOFError, zlib.error):  # the last two: a file that is being packed right now
            return False
        return self._last_entry_at is not None

    def _read(self, path: Path) -> None:
        with path.open("rb") as raw:
            status = os.fstat(raw.fileno())
            read_up_to = self._read_up_to.get(status.st_ino, 0)
            if path.suffix == _GZIP:
                # Packed once and never written again: whole, or not at all.
                lines = [] if read_up_to else gzip.decompress(raw.read()).splitlines(keepends=True)
            else:
                # A file that has shrunk was emptied and begun anew (copytruncate).
                read_up_to = read_up_to if status.st_size >= read_up_to else 0
                raw.seek(read_up_to)
                lines = list(_whole_lines(raw))
            self._read_up_to[status.st_ino] = read_up_to + sum(map(len, lines))
        written = datetime.fromtimestamp(status.st_mtime, UTC)
        for line in lines:
            self._take(line, written)

    def _take(self, line: bytes, written: datetime) -> None:
        """Remember one line of a file that was written to last at ``written``, which tells a year."""
        found = _LINE.search(line)
        if found is None:
            return
        at = timestamp_of(line[: found.start()], written)
        self._first_entry_at, self._last_entry_at = self._first_entry_at or at, at or self._last_entry_at
        daemon, queue_id, words = found.groups()
        if daemon == b"cleanup" and (named := _MESSAGE_ID.match(words)):
            self._open[queue_id] = named[1]
        elif _DISCARDED.match(words):
            self._open.pop(queue_id, None)
        elif _IN_QUEUE.match(words) and queue_id in self._open:
            self._accepted.add(self._open.pop(queue_id))


def _generations(path: Path) -> list[Path]:
    """The log after all that it was rotated to, the oldest first.

    Raises:
        OSError: the log itself is not there, or cannot be read.
    """
    path.stat()
    rotated = [one for one in path.parent.glob(f"{path.name}[.-]*") if one.is_file()]
    return [*sorted(rotated, key=lambda one: one.stat().st_mtime), path]


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines up to the last line end: the rest is still being written."""
    for line in stream:
        if not line.endswith(b"\n"):
            return
        yield line
