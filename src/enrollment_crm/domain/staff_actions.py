"""The audit trail of people: what a member of staff, or intake by a rule, did to a record."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enrollment_crm.domain.instants import check_aware


class StaffActionKind(StrEnum):
    """What was done."""

    #: Two records became one person.
    MERGED = "merged"
    #: Two records that were one person are two again.
    UNMERGED = "unmerged"
    #: What is known of a person was corrected.
    CORRECTED = "corrected"
    #: A review was decided.
    DECIDED = "decided"
    #: What names a person was taken out of every table.
    ERASED = "erased"
    #: All that is held of a person was handed out.
    EXPORTED = "exported"


@dataclass(frozen=True)
class StaffAction:
    """Who did it, why and when. ``reason`` names nobody: it outlives what it is about."""

    by: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        check_aware(self.at)


#: Whoever merges by a rule that is certain.
INTAKE = "intake"
