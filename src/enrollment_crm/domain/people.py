"""What a record says of the person behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.zones import HOME_ZONE, ZoneChoice, choose_zone


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


@dataclass(frozen=True, slots=True)
class Details:
    """How a person is called and reached, and by which clock they live, as all rows so far say it.

    pii: every field.
    """

    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    #: ISO 3166 alpha-2 code.
    country: str | None = None
    #: The zone as it was stated, also where it is unknown.
    stated_time_zone: str | None = None
    #: The IANA zone that R4 chooses.
    zone: str = HOME_ZONE


def bring_up_to_date(
    known: Details, contact: Contact, *, country_zones: Mapping[str, str]
) -> tuple[Details, ZoneChoice | None]:
    """The details with what a row says; what it does not say erases nothing (R2).

    Beside them what was chosen instead of a zone that does not exist, where the row states one.
    """
    country = contact.country or known.country
    news = choose_zone(contact.time_zone, country, country_zones=country_zones)
    # A zone that does not exist says nothing, and so erases nothing.
    stated = contact.time_zone if news.basis == "stated" else known.stated_time_zone or contact.time_zone
    choice = news if stated == contact.time_zone else choose_zone(stated, country, country_zones=country_zones)
    details = Details(
        contact.first_name or known.first_name,
        contact.last_name or known.last_name,
        contact.phone or known.phone,
        country,
        stated,
        choice.zone,
    )
    return details, choice if news.warning else None
