"""Pacing: how many messages a minute a recipient domain gets, and when the others have their turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from enrollment_crm.domain.addresses import address_key

#: Into so short a span the messages of a minute may not be crowded: a tenth of them may go at once.
_AHEAD = timedelta(seconds=6)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Pace:
    """How far the messages to one domain have come."""

    #: When the next one may go, if none were allowed ahead of time.
    next_at: datetime
    #: When the last of those that wait has its turn.
    backlog_until: datetime


@dataclass(frozen=True)
class Turns:
    """What becomes of some messages to one domain: the first few go now, the others each after a while."""

    now: int
    later: tuple[timedelta, ...]
    pace: Pace


def share_out(pace: Pace, wanted: int, *, a_minute: int, now: datetime) -> Turns:
    """Let as many go as the limit allows, and give each of the others its turn behind those that wait already."""
    interval = _MINUTE / a_minute
    begins = max(pace.next_at, now)
    # One may always go when its turn has come, however slow the pace is.
    room = max(int((now + _AHEAD - begins) / interval), int(begins <= now))
    going = min(wanted, max(0, room))
    next_at = begins + interval * going
    if going == wanted:
        return Turns(going, (), Pace(next_at, pace.backlog_until))
    behind = max(pace.backlog_until, next_at, now)
    waits = tuple(behind + interval * number - now for number in range(1, wanted - going + 1))
    return Turns(going, waits, Pace(next_at, now + waits[-1]))


def limited_domain(address: str, limits: Mapping[str, int]) -> str | None:
    """The domain of the address, where it has a limit; one with other letters than English in its ASCII form."""
    domain = address_key(address).rpartition("@")[2]
    return domain if domain in limits else None
