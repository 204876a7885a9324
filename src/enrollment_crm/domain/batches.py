"""The steps of intake, as operations see them."""

from enum import StrEnum


class InboxOutcome(StrEnum):
    """What became of a raw row. in = accepted + quarantined, for every batch."""

    #: Waiting to be validated.
    PENDING = "pending"
    #: Passed every rule; a person's record says what it said.
    ACCEPTED = "accepted"
    #: Failed a rule; the quarantine says which, in words.
    QUARANTINED = "quarantined"


class BatchStep(StrEnum):
    """How far a batch has come: validated -> loaded. Each task drains every batch that waits for it."""

    #: Every row is accepted or quarantined.
    VALIDATED = "validated"
    #: What the accepted rows say is in the people's records.
    LOADED = "loaded"
