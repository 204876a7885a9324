"""What a record says of the person behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.person_facts import Said, facts_of


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How to reach a person, as one row says it; None where it says nothing, which erases nothing (R2).

    pii: every field.
    """

    email: str
    email_key: str
    first_name: str | None
    last_name: str | None
    phone: str | None
    country: str | None
    time_zone: str | None
    #: ISO 8601.
    birth_date: str | None = None
    #: Who says so, and when by their own clock; None: when it reached us.
    source: str = ""
    said_at: datetime | None = None

    def facts(self, *, received_at: datetime) -> dict[str, Said]:
        """What the row says, field by field, with both clocks."""
        said_at = self.said_at or received_at
        return facts_of(vars(self), source=self.source, said_at=said_at, received_at=received_at)

    @classmethod
    def of_address(cls, email: str, *, time_zone: str | None = None, source: str = "") -> Self:
        """What is known of somebody who gives an address, and at most the clock they live by."""
        return cls(
            email=email,
            email_key=address_key(email),
            first_name=None,
            last_name=None,
            phone=None,
            country=None,
            time_zone=time_zone,
            source=source,
        )
