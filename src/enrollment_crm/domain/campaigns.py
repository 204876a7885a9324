"""Campaigns: all messages of one kind, and what stops them at once, as opposed to one message."""

from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.messages import MessageKind


class CampaignStoppedError(Exception):
    """Nothing more of this kind is sent until the cause is mended and a person resumes it.

    The relay refuses us (sign-in, sender, policy, reputation), or too many addresses were refused: `enrollment-crm
    campaigns list` says what. Mend it, then `enrollment-crm campaigns resume`; what was not sent goes out then.
    """


class RelayDownError(Exception):
    """The relay does not answer. Nothing was lost: the messages wait in the ledger and are tried again."""


@dataclass(frozen=True)
class CampaignStop:
    """One kind of message was stopped, why, and who let it go on. No people."""

    kind: MessageKind
    #: In words, without an address.
    reason: str
    stopped_at: datetime
    resumed_at: datetime | None = None
    resumed_by: str = ""
    #: What was mended.
    remedy: str = ""

    def in_words(self) -> str:
        """What operations read."""
        name = self.kind.value.replace("_", " ")
        return (
            f"Nothing of the kind {name} is sent any more: {self.reason} Mend it, then run "
            f"`enrollment-crm campaigns resume {self.kind.value} --by NAME --why WORDS`."
        )


@dataclass(frozen=True)
class BounceLimit:
    """How many of the last messages of a kind may be refused because of their address, before the kind is stopped."""

    share: float
    #: How many messages are looked back at.
    window: int

    @property
    def most(self) -> int:
        """So many may be refused; a list with more is bad, or a relay takes us for a spammer."""
        return max(1, int(self.share * self.window))

    def is_exceeded(self, refused: int) -> bool:
        """Whether so many of the last ``window`` messages are too many."""
        return refused > self.most

    def in_words(self, refused: int) -> str:
        """The reason for a stop."""
        return (
            f"{refused} of the last {self.window} messages were refused because of their address, and more than "
            f"{self.most} stop it: look where these addresses come from, or whether the relay refuses us in disguise."
        )


#: For what sends nothing real: a rehearsal.
NO_BOUNCE_LIMIT = BounceLimit(share=1, window=1_000_000)
