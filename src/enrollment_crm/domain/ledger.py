"""The states of a message in the ledger.

::

    claimed -> transmitting -> accepted
       ^            |--> retry --> claimed        refused for now: later, the same bytes
       |            |--> failed                   refused for good
       |            `--> uncertain                nobody can tell; operations decide
       `--- withheld                              a reason arose between two attempts (R7)

A message that is only planned has no row: the schedule is derived.
"""

from enum import StrEnum


class MessageState(StrEnum):
    """Where a message stands."""

    #: A worker holds its lease and has not begun to transmit; when the lease ends it can be claimed again.
    CLAIMED = "claimed"
    #: The first byte may have left: the outcome is known only from the relay's answer or its accept log.
    TRANSMITTING = "transmitting"
    #: The relay took responsibility (250 after DATA).
    ACCEPTED = "accepted"
    #: Refused for now, or never reached the relay; claimed again at ``retry_at``, byte for byte the same.
    RETRY = "retry"
    #: Refused for good, or it could not be composed; ``error`` says why.
    FAILED = "failed"
    #: Its worker vanished while transmitting and no accept log can tell; shown to operations, never resent silently.
    UNCERTAIN = "uncertain"
    #: A reason to withhold it arose after it was claimed; ``withheld`` names it.
    WITHHELD = "withheld"
