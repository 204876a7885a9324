"""Tombstones: what is kept of somebody who was erased, so that the next overlap does not bring them back.

A tombstone is an HMAC of an address or a reference under the pipeline's own key. It says nothing to anybody who has
not both the key and the value.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.addresses import address_key
from enrollment_crm.domain.canonical_rows import YES, CanonicalRow, RecordKind, UnvalidatedRowError, submitted_at_in

_PURPOSE = "tombstone"


def address_tombstone(email: str, *, secret: bytes) -> str:
    """The tombstone of an address, in whatever case it is given."""
    return _keyed("address", address_key(email), secret)


def person_tombstone(source: str, reference: str, *, secret: bytes) -> str:
    """The tombstone of what a source calls a person."""
    return _keyed("person", f"{source}\0{reference}", secret)


def application_tombstone(source: str, reference: str, *, secret: bytes) -> str:
    """The tombstone of what a source calls an application."""
    return _keyed("application", f"{source}\0{reference}", secret)


def _keyed(kind: str, value: str, secret: bytes) -> str:
    return hmac.digest(secret, f"{_PURPOSE}\0{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


@dataclass(frozen=True)
class KeyedRow:
    """What a row can be recognised by, and whether it can bring somebody back."""

    tombstones: tuple[str, ...]
    #: pii: the address as it is compared; None: the row has none.
    email_key: str | None
    #: pii: what the source calls the person; None: it does not.
    person_reference: str | None
    #: By the source's own clock.
    occurred_at: datetime
    #: A signup with consent, of which is known when it was: a person who asks to be written to.
    is_consent: bool


def keyed_row(
    row: CanonicalRow, *, kind: RecordKind, source: str, is_live: bool, received_at: datetime, secret: bytes
) -> KeyedRow:
    """The tombstones that a canonical row, accepted or not, would have.

    Args:
        row: what it means.
        kind: what it is about.
        source: who says so.
        is_live: it reached us as it happened. A row of an export that does not say when it was may be any age: it is
            no new consent.
        received_at: when it reached us.
        secret: the key of tombstones.
    """
    email, person, application = row.get("email"), row.get("person_reference"), row.get("application_id")
    named_by = row.get("application_source") or source
    found = [
        address_tombstone(email, secret=secret) if email else "",
        person_tombstone(source, person, secret=secret) if person else "",
        application_tombstone(named_by, application, secret=secret) if application else "",
    ]
    is_dated = is_live or bool(row.get("occurred_at"))
    try:
        occurred_at = min(submitted_at_in(row, received_at=received_at), received_at)
    except UnvalidatedRowError:
        occurred_at, is_dated = received_at, is_live
    is_consent = kind is RecordKind.SIGNUP and row.get("consent") == YES and is_dated
    key = address_key(email) if email else None
    return KeyedRow(tuple(filter(None, found)), key, person, occurred_at, is_consent)


def is_of_the_erased(row: KeyedRow, erased: Mapping[str, datetime], *, is_back: bool) -> bool:
    """Whether the row belongs to somebody who was erased, and is to be emptied.

    A signup with consent from after the erasure brings its person back; from then on, what their sources say counts
    again, where it happened after the erasure by their clock.

    Args:
        row: the row.
        erased: tombstone -> the last erasure.
        is_back: whether somebody has come back under the address or a reference of the row.
    """
    last = max((erased[one] for one in row.tombstones if one in erased), default=None)
    if last is None:
        return False
    return row.occurred_at <= last or not (row.is_consent or is_back)
