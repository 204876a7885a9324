"""Facts: things that a source tells us once, each under a name of its own."""

from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.instants import check_aware


@dataclass(frozen=True)
class Fact:
    """The name of a fact in its source, and the instant at which it reached us. Delivered again, it is not new."""

    source: str
    fact_id: str
    at: datetime

    def __post_init__(self) -> None:
        check_aware(self.at)
