"""What all sources of a program's calendar say together, at one reading."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.listings import HeldBack, HoldReason, Listings
from enrollment_crm.domain.prep_sessions import PrepSession


class CalendarPart(StrEnum):
    """What a source is read for. The parts of one page are understood independently."""

    #: The stated dates of the program page.
    DEADLINES = "deadlines"
    #: Prep sessions: on the program page, on an events page, in a feed.
    SESSIONS = "sessions"


@dataclass(frozen=True)
class SourceProblem:
    """A source of which a part could not be read; nothing of that part was taken from it."""

    #: Its address, without query and credentials.
    source: str
    part: CalendarPart
    words: str
    #: Whether reading it once more, later, can help by itself.
    passing: bool


@dataclass(frozen=True)
class CalendarReading:
    """What the configured sources of one program say now; nobody has approved it yet.

    A session or date that is absent is not thereby cancelled: lists show the next few, and a source can be down.
    """

    #: Stated dates for the configured entry terms that are still ahead.
    deadlines: tuple[Deadline, ...] = ()
    #: Sessions from the day of the reading on, each once, earliest first.
    sessions: tuple[PrepSession, ...] = ()
    #: Sessions of which a feed says that they are cancelled.
    cancelled: tuple[PrepSession, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    #: The parts that at least one configured source is read for.
    parts: frozenset[CalendarPart] = frozenset()

    def is_whole(self, part: CalendarPart) -> bool:
        """Whether this part has a source, and every source of it was read to its end."""
        return part in self.parts and all(one.part is not part for one in self.problems)


def reconcile(listings: Listings) -> Listings:
    """The same listings with each session once, and held back where its sources contradict each other.

    The same session has the same id, or the same address and start under another id; the first source names it.
    Sequences are a source's own count and contradict nothing.
    """
    named: dict[str, list[PrepSession]] = {}
    for one in listings.sessions:
        named.setdefault(_name_by_address(one, listings.sessions), []).append(one)
    cancelled = tuple(dict.fromkeys(listings.cancelled))
    kept: list[PrepSession] = []
    held_back: list[HeldBack] = []
    warnings = list(listings.warnings)
    for same in named.values():
        against = _contradiction(same, cancelled)
        if against:
            held_back.append(HeldBack(same[0].id, HoldReason.CONTRADICTION, against))
        else:
            kept.append(replace(same[0], sequence=max(one.sequence for one in same)))
            warnings += _other_locations(same)
    return replace(
        listings,
        sessions=tuple(sorted(kept, key=lambda one: (one.starts, one.id))),
        cancelled=tuple(one for one in cancelled if not any(_same(one, held) for held in listings.sessions)),
        held_back=tuple(dict.fromkeys((*listings.held_back, *held_back))),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _same(one: PrepSession, other: PrepSession) -> bool:
    return one.id == other.id or (bool(one.url) and (one.url, one.starts) == (other.url, other.starts))


def _name_by_address(session: PrepSession, sessions: Iterable[PrepSession]) -> str:
    return next(one.id for one in sessions if _same(one, session))


def _contradiction(same: list[PrepSession], cancelled: Iterable[PrepSession]) -> str | None:
    """What the sources disagree about, in words. Titles and addresses are worded differently without disagreeing."""
    times = dict.fromkeys(f"{one.local_start:%Y-%m-%d %H:%M} {one.zone}, {one.minutes} minutes" for one in same)
    if len(times) > 1:
        return f"its sources disagree about when it is: {'; '.join(times)}"
    if any(_same(one, other) for one in same for other in cancelled):
        return f"one source cancels it, another announces it for {next(iter(times))}"
    return None


def _other_locations(same: list[PrepSession]) -> list[str]:
    others = dict.fromkeys(one.location for one in same[1:] if one.location != same[0].location)
    return [f"{same[0].id}: another source names the location {one!r}, the first is taken" for one in others]
