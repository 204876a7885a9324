"""Bounces: which refusals mean that an address does not exist (R7)."""

import re

#: RFC 3463 codes that say so: no such mailbox, a null MX, a disabled mailbox. Other 5.x.x withhold nothing.
_HARD = frozenset({"5.1.1", "5.1.10", "5.2.1"})
_ENHANCED_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


def is_hard_bounce(reply: str) -> bool:
    """Whether a server's reply, or an enhanced status code alone, means that the address does not exist."""
    status = _ENHANCED_STATUS.search(reply)
    return status is not None and status[0] in _HARD
