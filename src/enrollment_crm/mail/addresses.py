"""Addresses as SMTP and headers may carry them: the domain in ASCII, the local part as its owner writes it."""

import re
from dataclasses import dataclass
from functools import lru_cache

import idna

_LOCAL_LIMIT_IN_OCTETS = 64
_ADDRESS_LIMIT_IN_OCTETS = 254
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# Dots in odd places are not legal bare, but mailboxes with them exist: they are written in quotes.
_QUOTABLE = re.compile(rf"(?:{_ATOM}|\.)+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ASCII_DOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})+")
_UNPRINTABLE = re.compile("[\\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]")


class AddressInvalid(ValueError):
    """No mail can be sent to what stands in the address field. Have the address corrected; a retry does not help."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address that SMTP can carry: the domain as A-labels, the local part quoted where it must be."""

    spec: str
    #: The local part is not ASCII: only a relay that offers SMTPUTF8 can take it.
    requires_smtputf8: bool


def mailbox_of(address: str) -> Mailbox:
    """The mailbox that an address means.

    Raises:
        AddressInvalid: it is none; the sentence says what is wrong, never the address itself.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local:
        raise AddressInvalid("The address has no name before an @: correct it.")
    if _UNPRINTABLE.search(address):
        raise AddressInvalid("The address holds a space or an invisible character: correct it.")
    spec = f"{_local_part_of(local)}@{_ascii_domain_of(domain)}"
    if len(spec.encode()) > _ADDRESS_LIMIT_IN_OCTETS:
        raise AddressInvalid(f"The address is longer than {_ADDRESS_LIMIT_IN_OCTETS} octets: correct it.")
    return Mailbox(spec, requires_smtputf8=not spec.isascii())


def _local_part_of(local: str) -> str:
    if len(local.encode()) > _LOCAL_LIMIT_IN_OCTETS:
        raise AddressInvalid(f"The part before the @ is longer than {_LOCAL_LIMIT_IN_OCTETS} octets: correct it.")
    if _DOT_ATOM.fullmatch(local):
        return local
    if _QUOTABLE.fullmatch(local):
        return f'"{local}"'
    raise AddressInvalid("The part before the @ holds a character that no mailbox has: correct it.")


@lru_cache(maxsize=4096)
def _ascii_domain_of(domain: str) -> str:
    ascii_domain = domain if domain.isascii() else _a_labels_of(domain)
    if not _ASCII_DOMAIN.fullmatch(ascii_domain):
        raise AddressInvalid("The part after the @ is no domain name: correct it.")
    return ascii_domain


def _a_labels_of(domain: str) -> str:
    try:
        # UTS 46 first: people type capitals and full-width letters, which IDNA2008 itself refuses.
        a_labels: str = idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise AddressInvalid("The part after the @ is no domain name that IDNA2008 knows: correct it.") from error
    return a_labels
