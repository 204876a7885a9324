"""SPF (RFC 7208): whether a domain lets an IP address send for it, within ten lookups."""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum

from enrollment_crm.mail.dns import Dns

LOOKUP_LIMIT = 10
_QUALIFIERS = "+-~?"
_DEEPEST = 20


class SpfResult(StrEnum):
    """What a receiver concludes."""

    #: The address may send.
    PASS = "pass"  # noqa: S105
    #: It may not.
    FAIL = "fail"
    #: It probably may not.
    SOFTFAIL = "softfail"
    #: The record says nothing about it.
    NEUTRAL = "neutral"
    #: There is no record.
    NONE = "none"
    #: The record cannot be used: receivers treat it as none, or refuse.
    PERMERROR = "permerror"


_BY_QUALIFIER = {"+": SpfResult.PASS, "-": SpfResult.FAIL, "~": SpfResult.SOFTFAIL, "?": SpfResult.NEUTRAL}


class _UnusableError(Exception):
    """A record is not usable; the sentence says why."""


@dataclass
class SpfEvaluation:
    """One evaluation: the result, why, and how many questions to DNS it took."""

    result: SpfResult = SpfResult.NONE
    reason: str = ""
    lookups: int = 0
    #: Terms that this reader does not follow: macros, `exists` and `ptr`.
    passed_over: list[str] = field(default_factory=list)


def evaluate_spf(dns: Dns, domain: str, address: str) -> SpfEvaluation:
    """What a receiver concludes of mail from this IP address with an envelope sender of this domain.

    Raises:
        DnsSilent: a question was not answered.
    """
    evaluation = SpfEvaluation()
    reader = _Reader(dns, ipaddress.ip_address(address), evaluation)
    try:
        evaluation.result = reader.check(domain, depth=0)
    except _UnusableError as error:
        evaluation.result, evaluation.reason = SpfResult.PERMERROR, str(error)
    return evaluation


@dataclass
class _Reader:
    dns: Dns
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    evaluation: SpfEvaluation

    def check(self, domain: str, *, depth: int) -> SpfResult:
        terms = self._terms_of(domain, depth)
        if terms is None:
            return SpfResult.NONE
        redirect = ""
        for term in terms:
            name, _, value = term.partition("=")
            if name.lower() == "redirect" and value:
                redirect = value
            elif "=" not in term.partition(":")[0] and self._matches(term.lstrip(_QUALIFIERS), domain, depth):
                self.evaluation.reason = f"{term} in the record of {domain}"
                return _BY_QUALIFIER[term[0] if term[0] in _QUALIFIERS else "+"]
        if redirect:
            self._count(f"redirect={redirect}")
            redirected = self.check(redirect, depth=depth + 1)
            if redirected is SpfResult.NONE:
                raise _UnusableError(f"redirect={redirect} leads to a domain without a record")
            return redirected
        return SpfResult.NEUTRAL

    def _terms_of(self, domain: str, depth: int) -> list[str] | None:
        if depth > _DEEPEST:
            raise _UnusableError(f"the records include each other without end, at {domain}")
        records = [one for one in self.dns.texts(domain) if one.lower().split(" ")[0] == "v=spf1"]
        if len(records) > 1:
            raise _UnusableError(f"{domain} has {len(records)} SPF records: one is allowed")
        return records[0].split()[1:] if records else None

    def _matches(self, term: str, domain: str, depth: int) -> bool:
        kind, _, value = term.partition(":")
        kind, _, prefix = kind.partition("/")
        target, _, target_prefix = value.partition("/")
        where, lengths = target or domain, prefix or target_prefix
        if "%" in value or kind.lower() in ("exists", "ptr"):
            self._count(term)
            self.evaluation.passed_over.append(term)
            return False
        match kind.lower():
            case "all":
                return True
            case "ip4" | "ip6":
                return self._in_network(value)
            case "a":
                self._count(term)
                return self._is_one_of(self.dns.addresses(where), lengths)
            case "mx":
                self._count(term)
                return any(self._is_one_of(self.dns.addresses(one), lengths) for one in self.dns.mail_exchangers(where))
            case "include" if value:
                self._count(term)
                return self._included(value, depth)
            case _:
                raise _UnusableError(f"{term} in the record of {domain} is no SPF term")

    def _included(self, domain: str, depth: int) -> bool:
        result = self.check(domain, depth=depth + 1)
        if result is SpfResult.NONE:
            raise _UnusableError(f"include:{domain} leads to a domain without a record")
        return result is SpfResult.PASS

    def _in_network(self, text: str) -> bool:
        try:
            return self.address in ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise _UnusableError(f"{text} is no network") from error

    def _is_one_of(self, addresses: list[str], lengths: str) -> bool:
        """``lengths``: /24 for version 4, //64 for version 6, or both as 24//64."""
        four, _, six = lengths.partition("//")
        length = four if self.address.version == 4 else six  # noqa: PLR2004
        networks = [one if not length else f"{one}/{length}" for one in addresses]
        return any(self._in_network(one) for one in networks)

    def _count(self, term: str) -> None:
        self.evaluation.lookups += 1
        if self.evaluation.lookups > LOOKUP_LIMIT:
            raise _UnusableError(f"more than {LOOKUP_LIMIT} lookups (RFC 7208 4.6.4), at {term}")
