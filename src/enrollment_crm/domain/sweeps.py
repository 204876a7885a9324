"""Sweeps: the regular looks at what is due, each with a mark of how far it has looked."""

from enum import StrEnum


class Sweep(StrEnum):
    """What a sweep looks at. The marks are apart: one sweep can be held while the others go on."""

    #: Deadline reminders and invitations: what is said to people because they have not submitted.
    DEADLINES = "reminders"
    #: Reminders of sessions that people registered for.
    SESSIONS = "sessions"
