"""Links that are one person's own: preferences and calendar. Unguessable, never expiring, with no address in them."""

import re
from enum import StrEnum

from enrollment_crm.mail.signing import sign, signature_holds

_SIGNATURE_LENGTH_IN_BYTES = 20
_TOKEN = re.compile(r"1\.([1-9][0-9]{0,18})\.([0-9a-fA-F]{40})")


class PersonalLink(StrEnum):
    """What a link opens; a token made for one opens no other."""

    #: The page on which a reader chooses what they are written to about.
    PREFERENCES = "preferences"
    #: The calendar feed of a reader's deadlines and sessions.
    CALENDAR = "calendar"


class PersonalLinkInvalid(ValueError):
    """The link was not made by this pipeline, or was cut short on its way. Ask the reader to use the whole link."""


def personal_token(link: PersonalLink, person_id: int, *, secret: bytes) -> str:
    """The token of a person's own link; safe in a path of a URL.

    Raises:
        ValueError: the person has no positive id.
    """
    if person_id < 1:
        raise ValueError(f"No token for person {person_id}: use a stored id.")
    claim = f"1.{person_id}"
    return f"{claim}.{_signature_of(link, claim, secret)}"


def read_personal_token(link: PersonalLink, token: str, *, secret: bytes) -> int:
    """The id of the person whose link it is.

    Raises:
        PersonalLinkInvalid: it is malformed, or the signature does not hold.
    """
    match = _TOKEN.fullmatch(token)
    claim, _, signature = token.rpartition(".")
    if match is None or not signature_holds(signature, _signature_of(link, claim, secret)):
        raise PersonalLinkInvalid(PersonalLinkInvalid.__doc__)
    return int(match[1])


def _signature_of(link: PersonalLink, claim: str, secret: bytes) -> str:
    return sign(link.value, claim, secret=secret, length_in_bytes=_SIGNATURE_LENGTH_IN_BYTES)
