"""The steps of intake, as operations see them."""

from enum import StrEnum


class InboxOutcome(StrEnum):
    """What became of a raw row. in = accepted + quarantined + erased, for every batch."""

    #: Waiting to be validated.
    PENDING = "pending"
    #: Passed every rule; a person's record says what it said.
    ACCEPTED = "accepted"
    #: Failed a rule; the quarantine says which, in words.
    QUARANTINED = "quarantined"
    #: Of somebody who was erased before: its content is emptied, and nobody is brought back.
    ERASED = "erased"


class BatchStep(StrEnum):
    """How far a batch has come: validated -> loaded. Each task drains every batch that waits for it."""

    #: Every row is accepted or quarantined.
    VALIDATED = "validated"
    #: What the accepted rows say is in the people's records.
    LOADED = "loaded"
