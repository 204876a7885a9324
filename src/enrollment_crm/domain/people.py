"""What a record says of the person behind it."""

from dataclasses import dataclass


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
