"""Failpoints: the places in sending at which a chaos test ends a worker, as the machine might.

``CRM_FAILPOINT=after_dot:kill:3`` ends the process like ``kill -9`` when the third message has left and is not answered
yet; ``after_dot:raise`` raises instead. Production refuses the setting, and without it a place costs one comparison.
"""

import os
import signal
from enum import StrEnum


class Place(StrEnum):
    """Where a worker can be ended, in the order in which a message passes."""

    #: People are due, and nothing is written about them.
    BEFORE_CLAIM = "before_claim"
    #: The claim is committed: messages have a lease and are not frozen.
    AFTER_CLAIM = "after_claim"
    #: The message is frozen and committed as ``transmitting``; its content has not begun to leave.
    BEFORE_DATA = "before_data"
    #: All of the content has left, the lone dot too; the relay has not answered.
    AFTER_DOT = "after_dot"
    #: The relay has taken the message; nothing is written about it.
    AFTER_250 = "after_250"
    #: The relay's answer is committed.
    AFTER_COMMIT = "after_commit"


class FailpointReached(BaseException):
    """A failpoint of a test. Nothing of ours catches it, as nothing catches a kill."""


class Failpoint:
    """What is to happen at one of the places; at all others, and without an order, nothing.

    An order is a place, what to do there, and at which passing: the first, where it is left out.
    """

    def __init__(self, order: str = "") -> None:
        place, _, rest = order.partition(":")
        action, _, passing = rest.partition(":")
        self._place = Place(place) if place else None
        self._kills = action == "kill"
        self._passings_left = int(passing or 1)

    def reach(self, place: Place) -> None:
        """A worker has come to this place."""
        if place is not self._place:
            return
        self._passings_left -= 1
        if self._passings_left:
            return
        if self._kills:
            os.kill(os.getpid(), signal.SIGKILL)
        raise FailpointReached(place.value)


#: What everything has outside of chaos tests.
OFF = Failpoint()
