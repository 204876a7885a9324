"""A made-up export of signups, as ``config/sources/signups_csv.yml`` reads it: the same file for the same number."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

#: Of all rows: broken ones, the very same row again, the same person with another signup, and by another address, which
#: is a question for staff. The same share of a small file and of a large one, or their costs could not be compared.
_BAD, _REPEATED, _AGAIN, _ELSEWHERE = 0.01, 0.01, 0.02, 0.02
#: Of so many people one shares the telephone of the one before.
_PEOPLE_A_SHARED_PHONE = 50

_FIRST = ("Ana", "Ben", "Chen", "DeShawn", "Elif", "Fatima", "Göran", "Hiro", "Ifeoma", "José", "Kofi", "Łukasz")
_LAST = (
    "Silva",
    "O'Neill",
    "Wang",
    "Carter",
    "Yılmaz",
    "Haddad",
    "Müller",
    "Tanaka",
    "Okafor",
    "Núñez",
    "Kim",
    "Zając",
)
_DOMAINS = ("example.edu", "mail.example.com", "students.example.org", "example.net")
#: The answer to the residency question, citizenship, visa, country and zone of one kind of person; with their share.
_KINDS = (
    (50, "U.S. citizen or permanent resident", "U.S. Citizen", "", "US", "America/New_York"),
    (10, "U.S. citizen or permanent resident", "U.S. Permanent Resident", "", "United States", "America/Los_Angeles"),
    (8, "International, currently in the U.S.", "Temporary Resident", "yes", "US", "America/Chicago"),
    (8, "International, outside the U.S.", "Other (Non-U.S.)", "no", "IN", "Asia/Kolkata"),
    (6, "International, outside the U.S.", "", "", "CN", "Asia/Shanghai"),
    (5, "International, outside the U.S.", "", "", "NG", "Africa/Lagos"),
    (5, "International, outside the U.S.", "Other (Non-U.S.)", "no", "DE", ""),
    (5, "Not sure", "", "", "BR", "America/Sao_Paulo"),
    (2, "", "", "", "", ""),
    (1, "U.S. citizen or permanent resident", "Other (Non-U.S.)", "", "KR", "Asia/Seoul"),
)
_TERMS = ("202730", "202810", "Fall 2027", "202830", "")
_PROGRAMS = ("MS in Advanced and Intelligent Manufacturing", "MS-AIM", "")
_BROKEN = ({"Email": ""}, {"Email": "nobody at example"}, {"Entry Term": "999999"}, {"Email Consent": ""})
_EARLIEST = datetime(2026, 7, 1, tzinfo=UTC)

_COLUMNS = (
    "Submission ID", "Submitted At", "Email", "First Name", "Last Name", "Phone", "Country", "Time Zone", "Program",
    "Entry Term", "Residency", "Citizenship", "U.S. Visa", "Prep Session", "Email Consent", "Consent Text", "Page",
    "Campaign",
)  # fmt: skip


def write_signups(file: Path, number: int) -> None:
    """Write a file of so many rows: four residency groups, several terms and zones, bad rows and duplicates."""
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(_COLUMNS)
        writer.writerows(_rows(number, random.Random(number)))


def _rows(number: int, chance: random.Random) -> Iterator[list[str]]:
    kinds, shares = [one[1:] for one in _KINDS], [one[0] for one in _KINDS]
    recent: list[dict[str, str]] = []
    for position, kind in enumerate(chance.choices(kinds, shares, k=number)):
        what = chance.random()
        if recent and what < _REPEATED:
            row = chance.choice(recent)
        elif recent and what < _REPEATED + _AGAIN:
            row = chance.choice(recent) | {"Submission ID": f"s-{position}", "Entry Term": "202810"}
        elif recent and what < _REPEATED + _AGAIN + _ELSEWHERE:
            row = chance.choice(recent) | {"Submission ID": f"s-{position}", "Email": f"moved{position}@example.net"}
        else:
            row = _row(position, kind, chance)
            recent = [*recent[-99:], row]
            if what > 1 - _BAD:
                row |= chance.choice(_BROKEN)
        yield list(row.values())


def _row(position: int, kind: tuple[str, ...], chance: random.Random) -> dict[str, str]:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    residency, citizenship, visa, country, zone = kind
    phone = position - (position % _PEOPLE_A_SHARED_PHONE == 1)
    cells = (
        f"s-{position}",
        (_EARLIEST + timedelta(seconds=position * 7)).astimezone(UTC).strftime("%m/%d/%Y %H:%M"),
        f"{first}.{last.replace(chr(39), '')}{position}@{chance.choice(_DOMAINS)}",
        first,
        last,
        f"+1 617 {phone // 10_000:03} {phone % 10_000:04}",
        country,
        zone,
        chance.choice(_PROGRAMS),
        chance.choice(_TERMS),
        residency,
        citizenship,
        visa,
        "",
        "yes",
        "request-info-1",
        f"https://landing.example/{chance.choice(('spring', 'fall', 'fair'))}?utm_source=search",
        chance.choice(("search", "fair-boston", "newsletter", "")),
    )
    return dict(zip(_COLUMNS, cells, strict=True))
