"""DKIM signatures of a message: who signed, what, and whether it holds. Nothing here signs: the relay does."""

import email
import re
from dataclasses import dataclass
from email import policy

import dkim
import dkim.crypto

from enrollment_crm.mail.dns import Dns

#: One-click counts only if both are signed (RFC 8058 4); OpenDKIM leaves the second out unless it is told.
WAY_OUT_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")
_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Signature:
    """One DKIM-Signature header."""

    domain: str
    selector: str
    #: Names of signed headers, in lower case.
    signed: frozenset[str]
    #: It covers a part of the body only (`l=`): anybody can append to the message.
    is_partial: bool
    #: The key in DNS verifies it.
    holds: bool


def signatures_of(content: bytes, dns: Dns) -> list[Signature]:
    """Every signature of a message, in order.

    Raises:
        DnsSilent: the key of a signature could not be asked for.
    """
    content = re.sub(rb"\r?\n", b"\r\n", content)
    parsed = email.message_from_bytes(content, policy=policy.compat32)
    headers = parsed.get_all("DKIM-Signature") or []
    return [_signature(str(header), content, index, dns) for index, header in enumerate(headers)]


def header_names(content: bytes) -> frozenset[str]:
    """Names of the message's headers, in lower case."""
    return frozenset(name.lower() for name in email.message_from_bytes(content, policy=policy.compat32))


def author_domain_of(content: bytes) -> str:
    """The domain of the From line; empty where there is none."""
    author = email.message_from_bytes(content, policy=policy.default)["From"]
    addresses = getattr(author, "addresses", ())
    return addresses[0].domain.lower() if addresses else ""


def _signature(header: str, content: bytes, index: int, dns: Dns) -> Signature:
    tags = {name.lower(): re.sub(r"\s+", "", value) for name, value in _TAG.findall(header)}
    return Signature(
        domain=tags.get("d", "").lower(),
        selector=tags.get("s", ""),
        signed=frozenset(tags.get("h", "").lower().split(":")),
        is_partial="l" in tags,
        holds=_holds(content, index, dns),
    )


def _holds(content: bytes, index: int, dns: Dns) -> bool:
    def key_record(name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG001
        records = dns.texts(name.decode("ascii", "replace").rstrip("."))
        return records[0].encode() if records else None

    try:
        return bool(dkim.DKIM(content).verify(idx=index, dnsfunc=key_record))
    except dkim.DKIMException:
        return False


def key_length_in_bits(record: str) -> int | None:
    """The length of the RSA key in a key record; 0: it was revoked or cannot be read; None: it is no RSA key."""
    tags = {name.lower(): re.sub(r"\s+", "", value) for name, value in _TAG.findall(record)}
    if tags.get("k", "rsa") != "rsa":
        return None
    try:
        key = dkim.crypto.parse_public_key(dkim.base64.b64decode(tags.get("p", "")))
    except (ValueError, dkim.crypto.UnparsableKeyError):
        return 0
    return int(key["modulus"]).bit_length()
