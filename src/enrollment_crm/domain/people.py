"""What a record says of the person behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.person_facts import Facts, facts_of, newest_facts
from enrollment_crm.domain.zones import HOME_ZONE, ZoneChoice, choose_zone, known_zones


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

    def facts(self, *, received_at: datetime) -> Facts:
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


@dataclass(frozen=True, slots=True)
class Details:
    """How a person is called and reached, and by which clock they live, as all rows so far say it.

    pii: every field.
    """

    #: The newest of each field.
    facts: Facts = field(default_factory=dict)
    #: The IANA zone that R4 chooses.
    zone: str = HOME_ZONE


def bring_up_to_date(
    known: Details, news: Facts, *, country_zones: Mapping[str, str]
) -> tuple[Details, ZoneChoice | None]:
    """The details with what a row says: of each field the newest holds, and what it does not say erases nothing (R2).

    Beside them what was chosen instead of a zone that does not exist, where the row states one.
    """
    holds = newest_facts(known.facts, news)
    stated, country = (holds[name].value if name in holds else None for name in ("time_zone", "country"))
    choice = choose_zone(stated, country, country_zones=country_zones)
    said = news.get("time_zone")
    is_no_zone = said is not None and said.value not in known_zones()
    return Details(holds, choice.zone), choice if is_no_zone else None
