"""Listed sessions beside those of the registry: which are the same, and what a listing changes of one (R10, R12).

A session that is not listed any more is not thereby cancelled: lists show the next few. Only a feed's own word cancels.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from enrollment_crm.domain.listings import HeldBack, HoldReason
from enrollment_crm.domain.prep_sessions import PrepSession


@dataclass(frozen=True)
class Matching:
    """What listings say of sessions, beside what the registry knows."""

    #: Sessions as they shall be: new ones, and known ones under the id that the registry knows them by.
    sessions: tuple[PrepSession, ...] = ()
    #: Ids of known sessions that a feed cancels.
    cancelled: tuple[str, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    remarks: tuple[str, ...] = ()


def match_sessions(
    listed: Iterable[PrepSession], cancelled: Iterable[PrepSession], known: Iterable[PrepSession], *, now: datetime
) -> Matching:
    """Put listings beside the registry.

    A listing and a known session are the same by id; else by address and start; else by an address that one session
    ahead on either side has, and no more.

    Args:
        listed: each session once, without an address where it has none of its own.
        cancelled: sessions of which a feed says so.
        known: every session of the registry, without an address where it has none of its own.
    """
    found = _Matches(known, tuple(listed), now)
    for one in found.listed:
        found.take(one, found.counterpart(one))
    for one in cancelled:
        found.cancel(one)
    return found.result()


def is_settled(held: HeldBack, known: Iterable[PrepSession], now: datetime) -> bool:
    """Whether a listing needs no person: it names no year (R12), and the session of that id is over or cancelled."""
    return held.reason is HoldReason.LISTING_YEAR and any(
        one.id == held.listing and (one.starts <= now or one.cancelled_at is not None) for one in known
    )


def in_words(session: PrepSession) -> str:
    """When it is, in words: ``Fri 2026-11-06 10:00 America/New_York, 60 minutes``."""
    return f"{session.local_start:%a %Y-%m-%d %H:%M} {session.zone}, {session.minutes} minutes"


@dataclass
class _Matches:
    """The matching while it goes on."""

    known: Iterable[PrepSession]
    listed: Sequence[PrepSession]
    now: datetime
    #: Known id -> what listings make of that session; more than one is a contradiction.
    changed: dict[str, list[PrepSession]] = field(default_factory=dict)
    added: list[PrepSession] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = tuple(self.known)
        ahead = [one for one in self.known if one.starts > self.now and one.cancelled_at is None]
        self._by_id = {one.id: one for one in self.known}
        self._by_occurrence = {(one.url.rstrip("/"), one.starts): one for one in self.known if one.url}
        self._ahead = {one.url.rstrip("/"): one for one in ahead if one.url}
        self._times_known = Counter(one.url.rstrip("/") for one in ahead)
        self._times_listed = Counter(one.url.rstrip("/") for one in self.listed)
        self._listed_ids = {one.id for one in self.listed}

    def occurrence(self, one: PrepSession) -> PrepSession | None:
        """The known session with this id, or with this address and start."""
        return self._by_id.get(one.id) or self._by_occurrence.get((one.url.rstrip("/"), one.starts))

    def counterpart(self, one: PrepSession) -> PrepSession | None:
        """The known session that a listing speaks of; None: it is new."""
        same = self.occurrence(one)
        if same is not None:
            return same
        address = one.url.rstrip("/")
        moved = self._ahead.get(address)
        alone = self._times_known[address] == 1 and self._times_listed[address] == 1
        return moved if moved is not None and alone and moved.id not in self._listed_ids else None

    def take(self, one: PrepSession, same: PrepSession | None) -> None:
        doubt = _doubt(one, same, self.now) if same else None
        if doubt:
            self._hold(one.id, doubt)
        elif same is None and one.starts > self.now:
            self.added.append(one)
        elif same is not None and same.starts > self.now and same.cancelled_at is None:
            self.changed.setdefault(same.id, []).append(_changed(same, one))

    def cancel(self, one: PrepSession) -> None:
        same = self.occurrence(one)
        if same is None or same.starts <= self.now or same.cancelled_at is not None:
            return
        if same.id in self.changed:
            self._hold(same.id, f"one source cancels it, another announces it for {in_words(self.changed[same.id][0])}")
            del self.changed[same.id]
        elif same.id not in self.cancelled:
            self.cancelled.append(same.id)

    def result(self) -> Matching:
        for known_id, claims in self.changed.items():
            if len(set(claims)) > 1:
                self._hold(known_id, f"it is listed twice: {'; '.join(in_words(one) for one in claims)}")
        agreed = [claims[0] for claims in self.changed.values() if len(set(claims)) == 1]
        return Matching((*agreed, *self.added), tuple(self.cancelled), tuple(self.held_back), tuple(self._remarks()))

    def _remarks(self) -> Iterable[str]:
        others = [*(one for one in self._by_id.values() if one.cancelled_at is None), *self.added]
        for one in self.added:
            same_hour = sorted(other.id for other in others if other.starts == one.starts and other.id != one.id)
            if same_hour:
                yield f"{one.id} is new and begins at the same time as {', '.join(same_hour)}: are they one session?"

    def _hold(self, listing: str, words: str) -> None:
        self.held_back.append(HeldBack(listing, HoldReason.CONTRADICTION, words))


def _doubt(one: PrepSession, same: PrepSession, now: datetime) -> str | None:
    """Why a person must decide what a listing means for the known session; None: it is clear."""
    if same.starts <= now < one.starts:
        return (
            f"it is listed for {in_words(one)}, and was on {in_words(same)}: if it is another session, add it to "
            "config/programs/ under another id"
        )
    if same.cancelled_at is not None and one.starts > now:
        return (
            f"it is listed for {in_words(one)}, and was cancelled: have the page corrected, or announce it in "
            "config/programs/ under another id"
        )
    if one.starts <= now < same.starts and same.cancelled_at is None:
        return f"it is listed for {in_words(one)}, which is past, and announced for {in_words(same)}: which is meant?"
    return None


def _changed(same: PrepSession, one: PrepSession) -> PrepSession:
    """The known session as the listing has it.

    Titles are worded differently from page to page: the known one stays. So does a location or an address that the
    listing does not name or only writes differently, and the clock of a start that has not changed.
    """
    return replace(
        same,
        starts=one.starts,
        zone=same.zone if one.starts == same.starts else one.zone,
        minutes=one.minutes,
        location=same.location if one.location.casefold() in {"", same.location.casefold()} else one.location,
        url=same.url if one.url.rstrip("/") in {"", same.url.rstrip("/")} else one.url,
    )
