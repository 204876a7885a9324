"""What sources say of a person, field by field: the newest by the source's own clock holds, however it arrives."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.zones import choose_zone

#: The fields of which each has a clock of its own. The order in which people read them.
FACT_FIELDS = ("first_name", "last_name", "phone", "birth_date", "country", "time_zone")

#: Nobody who applies was born before that: an older date is a slip of a spreadsheet.
_FIRST_BIRTH_YEAR = 1900


class Said(NamedTuple):
    """One value of one field, with both clocks, which ``facts_of`` has checked. pii: the value."""

    value: str
    #: By the source's own clock; never after it reached us, so that a clock that runs ahead cannot hold forever.
    said_at: datetime
    source: str
    #: When it reached us; of one statement that is delivered again, the last time.
    received_at: datetime


Facts = Mapping[str, Said]


def facts_of(
    values: Mapping[str, str | None], *, source: str, said_at: datetime, received_at: datetime
) -> dict[str, Said]:
    """What one row says; a field that it leaves blank says nothing, and so erases nothing (R2)."""
    at = min(check_aware(said_at), check_aware(received_at))
    return {name: Said(value, at, source, received_at) for name in FACT_FIELDS if (value := values.get(name))}


def newest_facts(*said: Facts) -> dict[str, Said]:
    """The newest of each field. The order of the arguments makes no difference, and neither does repetition."""
    every = [one for one in said if one]
    if len(every) <= 1:  # most people are said to us once
        return dict(every[0]) if every else {}
    return {
        name: _newest(name, (one[name] for one in every if name in one))
        for name in FACT_FIELDS
        if any(name in one for one in every)
    }


def _newest(name: str, said: Iterable[Said]) -> Said:
    return max(said, key=lambda one: _rank(name, one))


def _rank(name: str, one: Said) -> tuple[bool, datetime, str, datetime, str]:
    """What is newer is higher. Two sources that speak at one instant are told apart by name, not by who came first.

    What one source says twice of one instant it has corrected: Slate's clock stands still once an application is
    submitted. So what reached us later holds. A zone that does not exist says nothing: any other outranks it (R4).
    """
    says_something = name != "time_zone" or choose_zone(one.value, None, country_zones={}).basis == "stated"
    return says_something, one.said_at, one.source, one.received_at, one.value


def is_same_fact(one: Said | None, other: Said | None) -> bool:
    """Whether the two are one statement of one source, whenever each of them reached us."""
    if one is None or other is None:
        return one is other
    return (one.value, one.said_at, one.source) == (other.value, other.said_at, other.source)


def birth_date_of(text: str | None, *, received_at: datetime) -> date | None:
    """The day of birth that a canonical value means; None: it says nothing, or what cannot be."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if day.year >= _FIRST_BIRTH_YEAR and day < check_aware(received_at).date() else None
