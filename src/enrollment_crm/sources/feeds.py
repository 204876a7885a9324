"""Feeds: what a source has to give right now, with what to do once it is safely kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.sources.delimited import read_delimited
from enrollment_crm.sources.drop_folder import pending_files, set_aside
from enrollment_crm.sources.slate import fetch_slate


@dataclass(frozen=True)
class Delivery:
    """Raw rows that belong together; ``keep`` is called once they are committed."""

    rows: Sequence[Mapping[str, Any]]
    keep: Callable[[], object]


@dataclass(frozen=True)
class Feed:
    """A source that is asked for rows. ``deliveries`` may raise ``FeedError`` or ``OSError``."""

    source: str
    kind: RecordKind
    deliveries: Callable[[], Iterator[Delivery]]


def slate_feed(source: str, kind: RecordKind, *, url: str, key: str, timeout_in_seconds: float) -> Feed:
    """The Slate query at this address."""

    def deliveries() -> Iterator[Delivery]:
        rows = fetch_slate(url, key, timeout_in_seconds=timeout_in_seconds)
        yield Delivery(rows, keep=lambda: None)

    return Feed(source, kind, deliveries)


def drop_feed(source: str, kind: RecordKind, *, drop_directory: Path) -> Feed:
    """The files that another system drops for this source; each is set aside once its rows are kept."""

    def deliveries() -> Iterator[Delivery]:
        for file in pending_files(drop_directory, source):
            yield Delivery(read_delimited(file), keep=lambda file=file: set_aside(file))

    return Feed(source, kind, deliveries)


def file_feed(source: str, kind: RecordKind, *, file: Path) -> Feed:
    """One file that somebody names; it stays where it is."""

    def deliveries() -> Iterator[Delivery]:
        yield Delivery(read_delimited(file), keep=lambda: None)

    return Feed(source, kind, deliveries)
