"""Feeds: what a source has to give right now, with what to do once it is safely kept."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.sources.drop_folder import pending_files, set_aside, version_of
from enrollment_crm.sources.dropped_files import read_dropped
from enrollment_crm.sources.slate import fetch_slate

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Delivery:
    """Raw rows that belong together; ``keep`` follows the commit.

    ``read``, and every row that is taken from what it gives, may raise ``FeedError`` or ``OSError``.
    """

    read: Callable[[], Rows]
    keep: Callable[[], object]


@dataclass(frozen=True)
class Feed:
    """A source that is asked for its deliveries, each read by itself: one that is broken does not stop the others."""

    source: str
    kind: RecordKind
    deliveries: Callable[[], Iterable[Delivery]]
    #: It has somewhere to come from: an address, or a folder that is there.
    is_set_up: bool = True


def slate_feed(source: str, kind: RecordKind, *, url: str, key: str, timeout_in_seconds: float) -> Feed:
    """The Slate query at this address."""
    read = partial(fetch_slate, url, key, timeout_in_seconds=timeout_in_seconds)
    return Feed(source, kind, lambda: [Delivery(read, keep=_nothing)])


def drop_feed(source: str, kind: RecordKind, *, drop_directory: Path) -> Feed:
    """The files that another system drops for this source; each is set aside once its rows are kept."""

    def deliveries() -> Iterable[Delivery]:
        for file in pending_files(drop_directory, source):
            yield Delivery(partial(read_dropped, file), keep=partial(set_aside, file, as_read=version_of(file)))

    return Feed(source, kind, deliveries, is_set_up=(drop_directory / source).is_dir())


def file_feed(source: str, kind: RecordKind, *, file: Path) -> Feed:
    """One file that somebody names; it stays where it is."""
    return Feed(source, kind, lambda: [Delivery(partial(read_dropped, file), keep=_nothing)])


def _nothing() -> None:
    """There is nothing to set aside."""
