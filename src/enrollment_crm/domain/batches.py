"""The steps of intake, as operations see them."""

from enum import StrEnum


class InboxOutcome(StrEnum):
    """What became of a raw row. in = accepted + quarantined + erased, for every batch.

    pending -> accepted | quarantined | erased; quarantined -> accepted (replayed) | discarded | erased;
    discarded -> quarantined.
    """

    #: Waiting to be validated.
    PENDING = "pending"
    #: Passed every rule; a person's record says what it said.
    ACCEPTED = "accepted"
    #: Failed a rule; the quarantine says which, in words.
    QUARANTINED = "quarantined"
    #: A person decided that it is not to be taken in; it is kept and can be restored.
    DISCARDED = "discarded"
    #: Of somebody who was erased before: its content is emptied, and nobody is brought back.
    ERASED = "erased"


class BatchStep(StrEnum):
    """How far a batch has come: validated -> loaded. Each task drains every batch that waits for it.

    A batch that fails a rule of severity `stop` waits for a person: stopped -> validated | rejected.
    """

    #: Every row is accepted or quarantined.
    VALIDATED = "validated"
    #: What the accepted rows say is in the people's records.
    LOADED = "loaded"
    #: A rule about the whole batch failed: nothing of it is loaded before a person has decided.
    STOPPED = "stopped"
    #: A person decided against it: all its rows are in the quarantine.
    REJECTED = "rejected"


class Severity(StrEnum):
    """What follows when a rule fails."""

    #: Nothing but that it is counted and shown.
    WARN = "warn"
    #: The row goes to the quarantine.
    QUARANTINE = "quarantine"
    #: The batch waits, whole, until a person has released or rejected it.
    STOP = "stop"


class BatchDecisionError(ValueError):
    """The batch does not wait for a decision: see `enrollment-crm batches list`."""
