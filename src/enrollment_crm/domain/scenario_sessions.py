"""The session that a fact of a scenario announces, as an events page would list it (R11, R12)."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from enrollment_crm.domain.instants import instant_of
from enrollment_crm.domain.listings import SessionListing
from enrollment_crm.domain.scenarios import ScenarioInvalid
from enrollment_crm.domain.zones import labelled_zone

#: ``2026-11-07T10:00:00``, or without a year ``11-07T10:00`` (ISO 8601 writes ``--11-07T10:00``).
_LOCAL = re.compile(r"(?:(?P<year>\d{4})-|--)?(?P<month>\d{2})-(?P<day>\d{2})[T ](?P<clock>\d{2}:\d{2}(?::\d{2})?)")
_LEAP_YEAR = 2024


def listing_of(fields: Mapping[str, Any]) -> SessionListing:
    """The listing that a ``session`` fact describes; an hour is its length where it names none.

    Raises:
        ScenarioInvalid: its start is no local wall clock.
    """
    found = _LOCAL.fullmatch(str(fields["starts"]))
    if found is None:
        raise ScenarioInvalid(
            f"session {fields['session']!r} starts {fields['starts']!r}: write a local wall clock, "
            "such as 2026-11-07T10:00:00, or 11-07T10:00:00 where the page names no year."
        )
    starts = datetime.fromisoformat(f"{_LEAP_YEAR}-01-01T{found['clock']}")
    return SessionListing(
        id=str(fields["session"]),
        title=str(fields.get("title") or "Graduate Application Prep Session"),
        month=int(found["month"]),
        day=int(found["day"]),
        year=int(found["year"]) if found["year"] else None,
        starts=starts.time(),
        ends=(starts + timedelta(minutes=int(fields.get("minutes") or 60))).time(),
        zone_label=str(fields.get("zone") or "ET"),
        location=str(fields.get("location") or "Online"),
        url=str(fields.get("url") or f"https://crm.example/sessions/{fields['session']}"),
    )


def start_of(text: str, zone: str) -> datetime:
    """The instant of a local wall clock of a zone; a text that names its offset says the instant itself.

    Raises:
        ValueError: it is neither.
    """
    starts = datetime.fromisoformat(text)
    return starts if starts.tzinfo else instant_of(starts.date(), starts.time(), labelled_zone(zone))
