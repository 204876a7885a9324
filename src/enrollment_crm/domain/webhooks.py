"""Webhooks by the Standard Webhooks specification: who may post for a source, and whether a post is theirs.

The package ``standardwebhooks`` reads the clock itself, knows one secret, and parses the body before it has judged it;
so this is written out, and tests sign with that package.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.feedback import FeedbackRecord
from enrollment_crm.domain.instants import check_aware

#: How far the sender's clock may be from ours, either way: who recorded a post cannot send it again later.
WINDOW = timedelta(seconds=300)
#: How long the id of an event is remembered: longer than any sender tries again.
REMEMBERED = timedelta(days=30)
#: More characters are no id of an event: it is kept in an index.
LONGEST_ID = 255

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the beginning of every secret, not a secret
#: Bytes of a secret, by the specification.
_SECRET_LENGTHS = range(24, 65)
_SIGNATURE_VERSION = "v1"
#: A sender that rotates its key signs with two or three.
_MOST_SIGNATURES = 16
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)
_ID = re.compile(r"[!-~]+")


class Refusal(StrEnum):
    """Why a post is not taken for the source's. Strangers are not told: it is for the log."""

    #: One of the three headers is missing.
    HEADER_MISSING = "header_missing"
    #: A header is there and cannot be read: a time that is no number, an id that is too long.
    HEADER_UNREADABLE = "header_unreadable"
    #: Signed more than 300 seconds before now: an old post is sent again, or a clock is slow.
    TOO_OLD = "too_old"
    #: Signed more than 300 seconds after now: a clock is fast.
    TOO_NEW = "too_new"
    #: No signature is by a secret of the source: another secret, or the body was changed on the way.
    WRONG_SIGNATURE = "wrong_signature"


class SecretUnusableError(ValueError):
    """The secret is no webhook secret. Copy it whole from the sender: ``whsec_`` and base64 of 24 to 64 bytes."""


@dataclass(frozen=True)
class WebhookSource:
    """A source that posts to us. Its secrets are shown nowhere."""

    source: str
    #: What its rows are about: rows for people's records, or events of the mail provider about messages.
    kind: RecordKind | FeedbackRecord
    #: The keys of the live secrets: two while the sender rotates them.
    keys: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Envelope:
    """What the headers of a post claim about it."""

    event_id: str
    timestamp: str
    signatures: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Envelope":
        """From the headers by their names in lower case; an absent one is empty.

        Svix, which signs for many (Resend among them), calls them by its own name as long as nobody asks otherwise.
        """
        names = ("id", "timestamp", "signature")
        return cls(*(headers.get(f"webhook-{name}") or headers.get(f"svix-{name}", "") for name in names))


def key_of(secret: str) -> bytes:
    """The key that a secret stands for.

    Raises:
        SecretUnusableError: it is none.
    """
    text = secret.strip().removeprefix(_SECRET_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SecretUnusableError(SecretUnusableError.__doc__) from None
    if len(key) not in _SECRET_LENGTHS:
        raise SecretUnusableError(SecretUnusableError.__doc__)
    return key


def refusal_of(envelope: Envelope, body: bytes, *, keys: tuple[bytes, ...], now: datetime) -> Refusal | None:
    """Why the post is not the source's; None: it is.

    Args:
        envelope: what its headers claim.
        body: the bytes as they came: a signature is over them, not over what they mean.
        keys: of the live secrets of the source.
        now: the instant at which it arrived.
    """
    check_aware(now)
    if not (envelope.event_id and envelope.timestamp and envelope.signatures):
        return Refusal.HEADER_MISSING
    if len(envelope.event_id) > LONGEST_ID or not _ID.fullmatch(envelope.event_id):
        return Refusal.HEADER_UNREADABLE
    if not _SECONDS.fullmatch(envelope.timestamp):
        return Refusal.HEADER_UNREADABLE
    age = now.timestamp() - int(envelope.timestamp)
    if age > WINDOW.total_seconds():
        return Refusal.TOO_OLD
    if age < -WINDOW.total_seconds():
        return Refusal.TOO_NEW
    return None if _is_signed(envelope, body, keys) else Refusal.WRONG_SIGNATURE


def sign(event_id: str, timestamp: int, body: bytes, *, key: bytes) -> bytes:
    """The signature of a post: HMAC-SHA256 of ``id.timestamp.body``."""
    return hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)


def _is_signed(envelope: Envelope, body: bytes, keys: tuple[bytes, ...]) -> bool:
    expected = [sign(envelope.event_id, int(envelope.timestamp), body, key=key) for key in keys]
    found = False
    # Every pair is compared, in constant time: how long it takes tells nothing.
    for signature in envelope.signatures.split(" ")[:_MOST_SIGNATURES]:
        given = _decoded(signature)
        for one in expected:
            found |= hmac.compare_digest(one, given)
    return found


def _decoded(signature: str) -> bytes:
    """The bytes of one ``v1,base64``; of another version or of nonsense, none."""
    version, _, text = signature.partition(",")
    if version != _SIGNATURE_VERSION:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
