"""Feeds: what a source has to give right now, with what to do once it is safely kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.sources import Layout, Source
from enrollment_crm.sources.drop_folder import Version, pending_files, set_aside, version_of
from enrollment_crm.sources.dropped_files import read_dropped
from enrollment_crm.sources.feed_errors import FeedUnreachableError
from enrollment_crm.sources.pulls import PullLimits
from enrollment_crm.sources.salesforce import SalesforceQuery, fetch_salesforce
from enrollment_crm.sources.slate import SlateQuery, fetch_slate

Rows = Iterable[Mapping[str, Any]]
_UNKNOWN = Layout()


@dataclass(frozen=True)
class Pickup:
    """How a source is asked for what has changed since its high-water mark, and how its rows move the mark."""

    #: Rows that were changed at this instant or later, all of them for None; raises like ``Delivery.read``.
    read_since: Callable[[datetime | None], Rows]
    #: When a row was changed by the source's clock; None: it does not say.
    changed_at: Callable[[Mapping[str, Any]], datetime | None]
    #: How far behind its mark the source is asked again.
    overlap: timedelta


@dataclass(frozen=True)
class Delivery:
    """Raw rows that belong together; ``keep`` follows the commit.

    ``read``, and every row that is taken from what it gives, may raise ``FeedError`` or ``OSError``.
    """

    read: Callable[[], Rows]
    keep: Callable[[], object]
    #: Given where the source keeps a high-water mark: then it is asked by this instead of ``read``.
    pickup: Pickup | None = None
    #: The encoding that its text was taken for, once it has been read; empty: there is no doubt.
    assumed_encoding: Callable[[], str] = str


@dataclass(frozen=True)
class Feed:
    """A source that is asked for its deliveries, each read by itself: one that is broken does not stop the others."""

    source: str
    kind: RecordKind
    deliveries: Callable[[], Iterable[Delivery]]
    #: It has somewhere to come from: an address, or a folder that is there.
    is_set_up: bool = True


def pull_feed(source: Source, query: Callable[[], SlateQuery | SalesforceQuery], *, limits: PullLimits) -> Feed:
    """What is pulled of a source.

    Args:
        query: makes the query when it is asked; raises ``FeedRefusedError`` where a credential is missing.
    """
    read = partial(read_pull, source, query, limits=limits)
    water = source.high_water
    pickup = Pickup(lambda since: read(since=since), source.changed_at, water.overlap) if water else None
    kind = source.field_map.kind
    return Feed(source.name, kind, lambda: [Delivery(read, keep=_nothing, pickup=pickup)])


def read_pull(
    source: Source,
    query: Callable[[], SlateQuery | SalesforceQuery],
    *,
    limits: PullLimits,
    since: datetime | None = None,
    first_page_only: bool = False,
) -> Rows:
    """The rows that a pulled source gives; raises like ``fetch_slate``."""
    asked = query()
    if isinstance(asked, SalesforceQuery):
        return fetch_salesforce(asked, limits=limits, since=since, first_page_only=first_page_only)
    local = since.astimezone(ZoneInfo(source.field_map.time_zone)) if since else None
    return fetch_slate(asked, limits=limits, since=local, first_page_only=first_page_only)


def drop_feed(source: str, kind: RecordKind, *, drop_directory: Path, layout: Layout = _UNKNOWN) -> Feed:
    """The files that another system drops for this source; each is set aside once its rows are kept."""

    def deliveries() -> Iterable[Delivery]:
        for file in _waiting(drop_directory, source):
            yield _DroppedFile(file, layout).delivery(keep=partial(_set_aside, file, version_of(file)))

    return Feed(source, kind, deliveries, is_set_up=(drop_directory / source).is_dir())


def file_feed(source: str, kind: RecordKind, *, file: Path, layout: Layout = _UNKNOWN) -> Feed:
    """One file that somebody names; it stays where it is."""
    return Feed(source, kind, lambda: [_DroppedFile(file, layout).delivery(keep=_nothing)])


def _waiting(drop_directory: Path, source: str) -> list[Path]:
    try:
        return pending_files(drop_directory, source)
    except OSError as error:
        raise FeedUnreachableError(
            f"The drop folder {source} cannot be read ({error.strerror}): give the pipeline the right to."
        ) from error


class _DroppedFile:
    """A file while it is read: what its text was taken for is known once its first row is asked for."""

    def __init__(self, file: Path, layout: Layout) -> None:
        self._file, self._layout = file, layout
        self._assumed_encoding = ""

    def delivery(self, *, keep: Callable[[], object]) -> Delivery:
        return Delivery(self._rows, keep=keep, assumed_encoding=lambda: self._assumed_encoding)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        """A file that another worker has set aside meanwhile gives nothing: its rows are committed."""
        try:
            dropped = read_dropped(self._file, self._layout)
            self._assumed_encoding = dropped.assumed_encoding
            yield from dropped.rows
        except FileNotFoundError:
            return
        except OSError as error:
            name, why = self._file.name, error.strerror
            raise FeedUnreachableError(
                f"{name} cannot be read ({why}): give the pipeline the right to, or drop it again."
            ) from error


def _set_aside(file: Path, as_read: Version) -> None:
    try:
        set_aside(file, as_read=as_read)
    except OSError as error:
        raise FeedUnreachableError(
            f"{file.name} was taken in, but cannot be moved to done/ ({error.strerror}): give the pipeline the right "
            "to, or move it away. What is read again is known."
        ) from error


def _nothing() -> None:
    """There is nothing to set aside."""
