"""Bounces: what says that an address does not exist (R7)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: RFC 3463 codes that say so: no such mailbox, a null MX, a disabled mailbox. Other 5.x.x withhold nothing.
_HARD = frozenset({"5.1.1", "5.1.10", "5.2.1"})
_ENHANCED_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
#: So many refusals for now in so many days count as one for good.
_SOFT_BOUNCES, _SOFT_SPAN = 3, timedelta(days=14)


@dataclass(frozen=True)
class Bounce:
    """A message came back: the enhanced status code (RFC 3463), and when."""

    status: str
    at: datetime


def is_hard_bounce(reply: str) -> bool:
    """Whether a server's reply, or an enhanced status code alone, means that the address does not exist."""
    status = _ENHANCED_STATUS.search(reply)
    return status is not None and status[0] in _HARD


def address_is_dead(bounces: Iterable[Bounce]) -> bool:
    """Whether an address with these bounces is written to no more: one hard one, or three 4.x.x within 14 days."""
    known = sorted(bounces, key=lambda one: one.at)
    return any(is_hard_bounce(one.status) for one in known) or _too_many(
        [one.at for one in known if one.status.startswith("4.")]
    )


def _too_many(instants: Sequence[datetime]) -> bool:
    last = _SOFT_BOUNCES - 1
    return any(instants[n + last] - first <= _SOFT_SPAN for n, first in enumerate(instants[: len(instants) - last]))
