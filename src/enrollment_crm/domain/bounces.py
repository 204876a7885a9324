"""Bounces: what the return of a message says about its address, about us, or about nothing yet (R7)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from enrollment_crm.domain.suppressions import SuppressionReason

#: RFC 3463 codes that say so: no such mailbox, a null MX, a disabled mailbox. Other 5.x.x withhold nothing.
_HARD = frozenset({"5.1.1", "5.1.10", "5.2.1"})
_ENHANCED_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
#: So many refusals for now in so many days count as one for good.
_SOFT_BOUNCES, _SOFT_SPAN = 3, timedelta(days=14)


class BounceClass(StrEnum):
    """What follows from an enhanced status code (RFC 3463)."""

    #: The address does not exist: nothing more is written to it, at once (5.1.1, 5.1.10, 5.2.1).
    HARD = "hard"
    #: Refused for now, and given up (4.x.x): three within 14 days count as hard.
    SOFT = "soft"
    #: The receiver's policy refuses us, not the reader (5.7.x): suppresses nobody, operations are told.
    POLICY = "policy"
    #: Anything else (5.2.2 mailbox full, 5.3.4 too large ...): suppresses nobody.
    OTHER = "other"


@dataclass(frozen=True)
class Bounce:
    """A message came back: the enhanced status code (RFC 3463), and when."""

    status: str
    at: datetime


def enhanced_status(text: str) -> str | None:
    """The first enhanced status code in a text, such as ``5.1.1``; None: there is none. An IP address holds none."""
    found = _ENHANCED_STATUS.search(text)
    return found[0] if found else None


def failure_status(text: str) -> str | None:
    """The first 4.x.x or 5.x.x in a text; a ``2.x.x`` there is a version number, or another reply's."""
    return next((one for one in _ENHANCED_STATUS.findall(text) if not one.startswith("2")), None)


def class_of_bounce(status: str) -> BounceClass:
    """The class of an enhanced status code, or of a reply that holds one."""
    code = enhanced_status(status) or status
    if code in _HARD:
        return BounceClass.HARD
    if code.startswith("4."):
        return BounceClass.SOFT
    return BounceClass.POLICY if code.startswith("5.7.") else BounceClass.OTHER


def is_hard_bounce(reply: str) -> bool:
    """Whether a server's reply, or an enhanced status code alone, means that the address does not exist."""
    return class_of_bounce(reply) is BounceClass.HARD


def why_dead(bounces: Iterable[Bounce]) -> SuppressionReason | None:
    """Why an address with these bounces is written to no more: a hard one, or three 4.x.x within 14 days; None."""
    known = sorted(bounces, key=lambda one: one.at)
    if any(is_hard_bounce(one.status) for one in known):
        return SuppressionReason.HARD_BOUNCE
    soft = [one.at for one in known if class_of_bounce(one.status) is BounceClass.SOFT]
    return SuppressionReason.SOFT_BOUNCES if _too_many(soft) else None


def _too_many(instants: Sequence[datetime]) -> bool:
    last = _SOFT_BOUNCES - 1
    return any(instants[n + last] - first <= _SOFT_SPAN for n, first in enumerate(instants[: len(instants) - last]))
