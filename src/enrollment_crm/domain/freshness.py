"""The freshness gate: "you have not submitted" is held while the applications feed is older than its budget."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from enrollment_crm.domain.messages import MessageKind

#: How old a feed of applications may be where its file in ``config/sources/`` says nothing else.
DEFAULT_BUDGET = timedelta(hours=24)

#: What is said to people because they have not submitted, or because something of their application is not yet
#: processed, and so is held while nobody knows whether that is true.
HELD_KINDS = (MessageKind.DEADLINE_REMINDER, MessageKind.SESSION_INVITATION, MessageKind.CHECKLIST_REMINDER)


@dataclass(frozen=True)
class WatchedSource:
    """A source of applications that is expected to deliver again and again."""

    source: str
    budget: timedelta
    #: It has an address, or a folder of its own. One whose folder is gone is watched all the same.
    is_set_up: bool = True


@dataclass(frozen=True)
class FeedWatch:
    """Which sources the gate watches, and the instant at which it judges them."""

    sources: tuple[WatchedSource, ...] = ()
    #: None: the instant of the sweep. What would go out next week is told by how old the feed is today.
    judged_at: datetime | None = None


#: The gate of a pipeline that has no feed, such as a rehearsal: always open.
NOTHING_WATCHED = FeedWatch()


@dataclass(frozen=True)
class Deliveries:
    """What is kept of the deliveries of one source, by the pipeline's clock."""

    first_seen: datetime | None = None
    delivered_at: datetime | None = None
    #: The last delivery before the oldest one that still waits in the inbox.
    taken_in_until: datetime | None = None
    #: Rows that came are not taken in yet: what they say is not known.
    rows_wait: bool = False


@dataclass(frozen=True)
class SourceAge:
    """How old one watched source is."""

    source: str
    age: timedelta
    budget: timedelta
    has_delivered: bool = True
    rows_wait: bool = False

    @property
    def is_stale(self) -> bool:
        """Older than its budget; one that is exactly as old is fresh."""
        return self.age > self.budget

    def in_words(self) -> str:
        """``applications feed slate last came 31 h ago, budget 24 h``."""
        age, budget = in_words(self.age), in_words(self.budget)
        feed = f"applications feed {self.source}"
        if self.rows_wait:
            return f"{feed} was last taken in {age} ago and rows of it wait, budget {budget}"
        if not self.has_delivered:
            return f"{feed} was set up {age} ago and has not come yet, budget {budget}"
        return f"{feed} last came {age} ago, budget {budget}"


@dataclass(frozen=True)
class Gate:
    """The gate at one instant: closed as long as one watched source is older than its budget."""

    sources: tuple[SourceAge, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Nobody knows whether people have submitted meanwhile."""
        return any(one.is_stale for one in self.sources)

    @property
    def reason(self) -> str:
        """Why it is closed: the stale sources with age and budget; empty: it is open."""
        return "; ".join(one.in_words() for one in self.sources if one.is_stale)

    @property
    def ages(self) -> str:
        """Every watched source with age and budget."""
        return "; ".join(one.in_words() for one in self.sources)

    def in_words(self) -> str:
        """``closed: ...``, ``open: ...`` or that there is nothing to watch."""
        if not self.sources:
            return "open: nothing to watch, no applications feed is set up"
        return f"{'closed' if self.is_closed else 'open'}: {self.reason or self.ages}"


def judge(watch: FeedWatch, deliveries: Mapping[str, Deliveries], now: datetime) -> Gate:
    """The gate as it stands.

    A source that has never delivered counts from the instant at which it was first seen set up, so that a new
    installation is not held at once.

    Args:
        deliveries: by source; one that is not in it was never seen.
        now: the instant of the sweep, which counts where the watch names none.
    """
    return Gate(tuple(_ages(watch, deliveries, watch.judged_at or now)))


def _ages(watch: FeedWatch, deliveries: Mapping[str, Deliveries], at: datetime) -> Iterator[SourceAge]:
    for watched in watch.sources:
        known = deliveries.get(watched.source, Deliveries())
        if not watched.is_set_up and known.first_seen is None:
            continue
        came = known.taken_in_until if known.rows_wait else known.delivered_at
        since = came or known.first_seen or at
        yield SourceAge(
            watched.source,
            max(at - since, timedelta(0)),
            watched.budget,
            has_delivered=known.delivered_at is not None,
            rows_wait=known.rows_wait,
        )


def in_words(age: timedelta) -> str:
    """``31 h``, ``24 h 5 min``, ``30 min``."""
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} min"] if minutes or not hours else []
    return " ".join(parts)


@dataclass(frozen=True)
class GateChange:
    """The gate has closed or opened since operations were told last. Counts, no people."""

    gate: Gate
    #: How many people are held; where it has opened: how many had been, at the last look.
    people_held: int

    def in_words(self) -> str:
        """What operations are told."""
        people = "1 person" if self.people_held == 1 else f"{self.people_held} people"
        if self.gate.is_closed:
            return (
                f"The freshness gate has closed: {self.gate.reason}. Deadline reminders, session invitations and "
                f"checklist reminders are held until the feed is fresh again, for {people} so far."
            )
        return (
            f"The freshness gate is {self.gate.in_words()}. What was held, for {people} at the last look, "
            "goes out where it is still true and useful."
        )
