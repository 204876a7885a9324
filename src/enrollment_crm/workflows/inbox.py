"""The inbox: raw rows are committed as they came, before anybody is answered or judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.sources.feed_errors import FeedError, FeedRefusedError, FeedUnreachableError
from enrollment_crm.sources.feeds import Delivery, Feed, Pickup, Rows
from enrollment_crm.storage.deliveries import DeliveryCounts, note_delivery
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.freshness import record_delivery
from enrollment_crm.storage.high_water_marks import high_water_mark_of, raise_high_water_mark
from enrollment_crm.storage.inbox import keep_one_row, keep_portions, portions_of
from enrollment_crm.workflows.draining import made_ahead
from enrollment_crm.workflows.garbage import garbage_is_left

#: File name in config/sources/ of the field map of the request-info form.
FORM = "form"


@dataclass(frozen=True)
class Collected:
    """Rows that the sources delivered: new ones, and ones that had been delivered before."""

    new: int = 0
    known: int = 0

    def __add__(self, other: "Collected") -> "Collected":
        return Collected(self.new + other.new, self.known + other.known)


def receive_form(engine: Engine, fields: Mapping[str, str], *, now: datetime) -> int:
    """Commit one post of the request-info form and give the id of its row.

    The same post delivered twice (a double click, a browser's retry) is one row.
    """
    with transaction(engine) as connection:
        return keep_one_row(connection, fields, source=FORM, kind=RecordKind.SIGNUP.value, received_at=check_aware(now))


def collect(engine: Engine, feeds: Sequence[Feed], *, now: datetime, dry_run: bool = False) -> Collected:
    """Ask every feed for its rows and commit them delivery by delivery.

    A delivery that fails does not keep the others from delivering; the failures are raised at the end, as one, so that
    the task is red and tried again. One that succeeds counts for the freshness of its source, also without new rows.

    Raises:
        FeedError: deliveries could not be read; what the others delivered is kept.
    """
    collected, failures = collect_what_comes(engine, feeds, now=now, dry_run=dry_run)
    if failures:
        raise _as_one(failures)
    return collected


def collect_what_comes(
    engine: Engine, feeds: Sequence[Feed], *, now: datetime, dry_run: bool = False
) -> tuple[Collected, list[FeedError | OSError]]:
    """Like ``collect``, but what failed is given beside the counts of what did not."""
    check_aware(now)
    collected, failures = Collected(), list[FeedError | OSError]()
    for feed in feeds:
        try:
            for delivery in feed.deliveries():
                try:
                    collected += _keep(engine, feed, delivery, now=now, dry_run=dry_run)
                except (FeedError, OSError) as failure:
                    failures.append(failure)
        except (FeedError, OSError) as failure:  # its folder cannot be looked into
            failures.append(failure)
    return collected, failures


def _as_one(failures: Sequence[Exception]) -> FeedError:
    """An error that tells of each; another try helps where it may help one of them."""
    first = next((one for one in failures if not isinstance(one, FeedRefusedError)), failures[0])
    kind = type(first) if isinstance(first, FeedError) else FeedUnreachableError
    return kind(" ".join(dict.fromkeys(map(str, failures))))


def _keep(engine: Engine, feed: Feed, delivery: Delivery, *, now: datetime, dry_run: bool) -> Collected:
    mark, rows = _ask(engine, feed, delivery)
    tide = _Tide(delivery.pickup, now)
    with garbage_is_left(), transaction(engine, dry_run=dry_run) as connection:
        record_delivery(connection, feed.source, kind=feed.kind.value, at=now)
        portions = made_ahead(portions_of(tide.over(rows)))
        kept = keep_portions(connection, portions, source=feed.source, kind=feed.kind.value, received_at=now)
        if tide.highest is not None:
            raise_high_water_mark(connection, feed.source, tide.highest, at=now, asked_from=mark)
        counts, assumed = DeliveryCounts(kept.new, kept.known, tide.damaged), delivery.assumed_encoding()
        note_delivery(connection, counts, source=feed.source, kind=feed.kind.value, at=now, assumed_encoding=assumed)
    if not dry_run:
        delivery.keep()
    return Collected(kept.new, kept.known)


def _ask(engine: Engine, feed: Feed, delivery: Delivery) -> tuple[datetime | None, Rows]:
    """The mark of a source, and the rows of a delivery: all, or what changed since an overlap before that.

    No transaction waits for them.
    """
    pickup = delivery.pickup
    if pickup is None:
        return None, delivery.read()
    with transaction(engine) as connection:
        mark = high_water_mark_of(connection, feed.source)
    return mark, pickup.read_since(mark and mark - pickup.overlap)


class _Tide:
    """What the rows that pass by come to: the latest change, and how many are damaged.

    A change that lies ahead of our clock does not count: it would hide all until then.
    """

    def __init__(self, pickup: Pickup | None, now: datetime) -> None:
        self._pickup, self._now = pickup, now
        self.highest: datetime | None = None
        self.damaged = 0

    def over(self, rows: Rows) -> Iterator[Mapping[str, Any]]:
        """The rows as they come."""
        for row in rows:
            self.damaged += DAMAGE_NOTE in row
            changed = self._pickup.changed_at(row) if self._pickup else None
            if changed and changed <= self._now and (self.highest is None or changed > self.highest):
                self.highest = changed
            yield row
