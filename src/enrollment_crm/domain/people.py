"""What a record says of the person behind it."""

from dataclasses import dataclass
from typing import Self

from enrollment_crm.domain.addresses import address_key


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

    @classmethod
    def of_address(cls, email: str, *, time_zone: str | None = None) -> Self:
        """What is known of somebody who gives an address, and at most the clock they live by."""
        return cls(
            email=email,
            email_key=address_key(email),
            first_name=None,
            last_name=None,
            phone=None,
            country=None,
            time_zone=time_zone,
        )
