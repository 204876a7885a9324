"""Tokens of unsubscribe links: over person, topic and key version, with no address in them, never expiring."""

import re

from enrollment_crm.mail.signing import sign, signature_holds

#: Raised when the secret is rotated; links of older versions must go on working, so readers know them all.
KEY_VERSION = 1

_SIGNATURE_LENGTH_IN_BYTES = 16
_TOKEN = re.compile(r"1\.([1-9][0-9]{0,18})\.([a-z0-9-]+)\.([0-9a-fA-F]{32})")
_TOPIC = re.compile(r"[a-z0-9-]+")


class UnsubscribeTokenInvalid(ValueError):
    """The link was not made by this pipeline, or was cut short on its way. Ask the reader to use the whole link."""


def unsubscribe_token(person_id: int, topic: str, *, secret: bytes) -> str:
    """The token that takes this person off this topic; safe in a path of a URL.

    Raises:
        ValueError: the person has no positive id, or the topic is not lower-case words joined by hyphens.
    """
    if person_id < 1 or not _TOPIC.fullmatch(topic):
        raise ValueError(f"No token for person {person_id} and topic {topic!r}: use a stored id and a slug.")
    claim = f"{KEY_VERSION}.{person_id}.{topic}"
    return f"{claim}.{_signature_of(claim, secret)}"


def read_unsubscribe_token(token: str, *, secret: bytes) -> tuple[int, str]:
    """Person id and topic of a token.

    Raises:
        UnsubscribeTokenInvalid: it is malformed, or the signature does not hold.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise UnsubscribeTokenInvalid("This unsubscribe link is incomplete: use the whole link from the email.")
    claim, _, signature = token.rpartition(".")
    if not signature_holds(signature, _signature_of(claim, secret)):
        raise UnsubscribeTokenInvalid("This unsubscribe link does not come from us: use the link from the email.")
    return int(match[1]), match[2]


def _signature_of(claim: str, secret: bytes) -> str:
    return sign("unsubscribe", claim, secret=secret, length_in_bytes=_SIGNATURE_LENGTH_IN_BYTES)
