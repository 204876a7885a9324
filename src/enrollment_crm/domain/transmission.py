"""How many messages are frozen together before the first of them leaves.

A worker that dies leaves a group of ``transmitting`` messages behind, and nobody knows which of them went out. So a
group is as much as leaves in a moment: with a relay that takes its time it is one message, and with a fast one several,
which share a commit.
"""

from datetime import timedelta

#: Before it is known how fast the relay is.
FIRST_GROUP = 4
#: However fast it is: what one death may leave unknown.
LARGEST_GROUP = 32
#: What a group should take at most.
MOMENT = timedelta(milliseconds=100)


def next_group_size(size: int, *, took: timedelta) -> int:
    """How many messages go into the next group, after one of this size took so long: at most twice as many."""
    if took <= timedelta(0):
        return min(size * 2, LARGEST_GROUP)
    fitting = int(size * (MOMENT / took))
    return max(1, min(fitting, size * 2, LARGEST_GROUP))
