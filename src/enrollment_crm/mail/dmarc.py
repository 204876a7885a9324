"""DMARC: the policy of a domain, and which domains are aligned with it."""

import re
from dataclasses import dataclass

from enrollment_crm.mail.dns import Dns

_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*?)\s*(?:;|$)", re.IGNORECASE)


@dataclass(frozen=True)
class DmarcPolicy:
    """What a domain, or the nearest one above it, asks of receivers."""

    #: The domain whose record holds.
    domain: str
    #: ``none``, ``quarantine`` or ``reject``.
    policy: str
    strict_spf: bool = False
    strict_dkim: bool = False
    reports_to: str = ""

    def aligned(self, author: str, other: str, *, strict: bool) -> bool:
        """Whether the domain of the From line and another one belong together."""
        author, other = author.lower(), other.lower()
        if author == other:
            return True
        return not strict and all(one == self.domain or one.endswith(f".{self.domain}") for one in (author, other))


def dmarc_policy_of(dns: Dns, author_domain: str) -> DmarcPolicy | None:
    """The policy for mail whose From line has this domain; None: there is none.

    The record of the domain itself counts, else the one of the nearest domain above it.

    Raises:
        DnsSilent: a question was not answered.
    """
    labels = author_domain.lower().split(".")
    for start in range(len(labels) - 1):
        domain = ".".join(labels[start:])
        records = [one for one in dns.texts(f"_dmarc.{domain}") if re.match(r"\s*v\s*=\s*DMARC1\b", one)]
        if len(records) == 1:
            return _read(records[0], domain, is_above=start > 0)
    return None


def _read(record: str, domain: str, *, is_above: bool) -> DmarcPolicy:
    tags = {name.lower(): value for name, value in _TAG.findall(record)}
    policy = tags.get("p", "none")
    return DmarcPolicy(
        domain=domain,
        policy=(tags.get("sp", policy) if is_above else policy).lower(),
        strict_spf=tags.get("aspf", "r").lower() == "s",
        strict_dkim=tags.get("adkim", "r").lower() == "s",
        reports_to=tags.get("rua", ""),
    )
