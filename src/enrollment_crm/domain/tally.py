"""What became of messages, as tasks and commands report it."""

from collections import Counter
from dataclasses import dataclass, field

from enrollment_crm.domain.ledger import MessageState


@dataclass
class Tally:
    """What became of messages: counts by state, and withheld ones by themselves."""

    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of_planned(cls, number: int) -> "Tally":
        """What a dry run gives: messages that would be claimed."""
        return cls(Counter({"planned": number}))

    @classmethod
    def of_held(cls, number: int) -> "Tally":
        """What a closed freshness gate or a stopped campaign gives: messages that were not claimed."""
        return cls(Counter({"held": number}))

    def add(self, state: MessageState, number: int = 1) -> None:
        """Count messages that stand in this state now."""
        if number:
            self.counts[state.value] += number

    def add_withheld(self, number: int) -> None:
        """Count covers that were recorded as withheld when they were claimed."""
        self.add(MessageState.WITHHELD, number)

    def add_over_limit(self, number: int) -> None:
        """Count messages that were left for later: over the limit of their recipient domain."""
        if number:
            self.counts["over_limit"] += number

    def __iadd__(self, other: "Tally") -> "Tally":
        self.counts.update(other.counts)
        return self
