"""The suppression list: addresses that nothing is written to, and why (R7)."""

from collections.abc import Mapping
from enum import StrEnum


class SuppressionReason(StrEnum):
    """Why an address is on the suppression list. No signup lifts any of them; a member of staff can."""

    #: A report said that the address does not exist (5.1.1, 5.1.10, 5.2.1).
    HARD_BOUNCE = "hard_bounce"
    #: Three messages within 14 days came back with 4.x.x.
    SOFT_BOUNCES = "soft_bounces"
    #: The relay itself refused the address as one that does not exist, while the message was handed over.
    RELAY_REFUSED = "relay_refused"
    #: Its reader reported a message as spam.
    COMPLAINT = "complaint"
    #: A member of staff put it there.
    MANUAL = "manual"


#: The reasons that mean: the address does not exist any more.
DEAD = frozenset({SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES, SuppressionReason.RELAY_REFUSED})

#: Each reason in words for staff.
SUPPRESSIONS_IN_WORDS: Mapping[SuppressionReason, str] = {
    SuppressionReason.HARD_BOUNCE: "A report said that the address does not exist.",
    SuppressionReason.SOFT_BOUNCES: "Three messages within 14 days came back.",
    SuppressionReason.RELAY_REFUSED: "The relay refused the address: it does not exist.",
    SuppressionReason.COMPLAINT: "The reader reported a message as spam.",
    SuppressionReason.MANUAL: "A member of staff put it on the list.",
}
