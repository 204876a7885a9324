"""Whether receivers believe who we are: SPF, DKIM, DMARC, and the name of the relay's address."""

import ipaddress
from collections.abc import Iterator

from enrollment_crm.domain.setup_checks import SetupCheck
from enrollment_crm.mail.dkim_signatures import (
    WAY_OUT_HEADERS,
    Signature,
    author_domain_of,
    header_names,
    key_length_in_bits,
    signatures_of,
)
from enrollment_crm.mail.dmarc import DmarcPolicy, dmarc_policy_of
from enrollment_crm.mail.spf import LOOKUP_LIMIT, SpfEvaluation, SpfResult, evaluate_spf
from enrollment_crm.workflows.mail_setup import MailSetup

_SHORTEST_KEY_IN_BITS = 1024
_GOOD_KEY_IN_BITS = 2048
#: From here on the next `include` of a supplier may be one too many.
_MANY_LOOKUPS = 8
_SIGN_BOTH = (
    "Let the signer sign them even where they are missing: OpenDKIM `OversignHeaders From,List-Unsubscribe,"
    "List-Unsubscribe-Post` and both in `SignHeaders`."
)


def check_spf(setup: MailSetup) -> Iterator[SetupCheck]:
    """The envelope domain lets every address of ours send, within ten lookups."""
    domain, addresses = setup.envelope_domain, outgoing_addresses(setup)
    if not addresses:
        yield SetupCheck.not_asked(
            "SPF", "It is not known from which address mail leaves.", "Set CRM_RELAY_ADDRESSES to it, and ask again."
        )
    for address in addresses:
        yield _judge_spf(domain, address, evaluate_spf(setup.dns, domain, address))


def _judge_spf(domain: str, address: str, found: SpfEvaluation) -> SetupCheck:
    told = f"{domain} says {found.result.value} for {address}" + (f": {found.reason}" if found.reason else "")
    match found.result:
        case SpfResult.PASS if found.lookups >= _MANY_LOOKUPS:
            remedy = f"Take out what is not used any more: more than {LOOKUP_LIMIT} lookups make the record worthless."
            return SetupCheck.warning("SPF", f"{told}; {found.lookups} of {LOOKUP_LIMIT} lookups are used.", remedy)
        case SpfResult.PASS:
            return SetupCheck.ok("SPF", f"{told}; {found.lookups} lookups.")
        case SpfResult.PERMERROR:
            return SetupCheck.problem("SPF", f"{told}.", f"Correct the TXT records of {domain}.")
        case SpfResult.NONE:
            remedy = f'Add a TXT record to {domain}, such as "v=spf1 ip{_version(address)}:{address} -all".'
            return SetupCheck.problem("SPF", f"{domain} has no SPF record.", remedy)
        case _ if found.passed_over:
            terms = ", ".join(found.passed_over)
            remedy = "Look at the Authentication-Results of a message that has arrived."
            return SetupCheck.warning("SPF", f"{told}, but for {terms}, which only a receiver can work out.", remedy)
        case _:
            remedy = f"Add ip{_version(address)}:{address} to the SPF record of {domain}."
            return SetupCheck.problem("SPF", f"{told}.", remedy)


def check_ptr(setup: MailSetup) -> Iterator[SetupCheck]:
    """Every address that mail leaves from has a name, and the name leads back (forward-confirmed reverse DNS)."""
    for address in outgoing_addresses(setup):
        names = setup.dns.names_of(address)
        if not names:
            remedy = "Ask whoever owns the address for a PTR record: large receivers refuse mail without one."
            yield SetupCheck.problem("PTR", f"{address} has no name.", remedy)
        elif any(address in setup.dns.addresses(name) for name in names):
            yield SetupCheck.ok("PTR", f"{address} is {names[0]}, and back.")
        else:
            remedy = f"Give {names[0]} an A or AAAA record with {address}, or change the PTR record."
            yield SetupCheck.problem("PTR", f"{address} is called {names[0]}, which does not lead back.", remedy)


def check_dkim_key(setup: MailSetup) -> Iterator[SetupCheck]:
    """The selector's key is published, not revoked, and long enough."""
    if not setup.selector:
        return
    name = f"{setup.selector}._domainkey.{setup.author_domain}"
    records = setup.dns.texts(name)
    bits = key_length_in_bits(records[0]) if records else 0
    if not records:
        yield SetupCheck.problem(
            "DKIM key", f"{name} has no TXT record.", "Publish the public key of the signer there."
        )
    elif bits is not None and bits < _SHORTEST_KEY_IN_BITS:
        finding = f"The key at {name} was revoked, cannot be read, or has {bits} bits."
        yield SetupCheck.problem("DKIM key", finding, f"Make a new key of {_GOOD_KEY_IN_BITS} bits.")
    elif bits is not None and bits < _GOOD_KEY_IN_BITS:
        yield SetupCheck.warning("DKIM key", f"The key at {name} has {bits} bits.", "Make a new one of 2048 bits.")
    else:
        yield SetupCheck.ok("DKIM key", f"{name} has a key" + (f" of {bits} bits." if bits else "."))


def check_dkim_signature(setup: MailSetup) -> Iterator[SetupCheck]:
    """A message as it left is signed for its author's domain, holds, and covers both unsubscribe headers."""
    if setup.message is None:
        remedy = "Give one that has arrived: `enrollment-crm check-setup --message FILE.eml`."
        yield SetupCheck.not_asked("DKIM signature", "There is no message to look at.", remedy)
        return
    author = author_domain_of(setup.message) or setup.author_domain
    policy = dmarc_policy_of(setup.dns, author) or DmarcPolicy(author, "none")
    signatures = signatures_of(setup.message, setup.dns)
    ours = [one for one in signatures if policy.aligned(author, one.domain, strict=policy.strict_dkim)]
    if not ours:
        by = ", ".join(sorted({one.domain for one in signatures})) or "nobody"
        remedy = f"Let the relay sign with d={author}."
        yield SetupCheck.problem("DKIM signature", f"The message is signed by {by}, not for {author}.", remedy)
        return
    holding = [one for one in ours if one.holds]
    if not holding:
        remedy = "Compare the key in DNS with the signer's; nothing may change a message after it was signed."
        yield SetupCheck.problem("DKIM signature", f"The signature of {ours[0].domain} does not verify.", remedy)
        return
    yield SetupCheck.ok("DKIM signature", f"The signature of {holding[0].domain} verifies.")
    yield _judge_way_out(holding, header_names(setup.message))
    if any(one.is_partial for one in holding):
        remedy = "Turn that off (OpenDKIM `BodyLengths`)."
        yield SetupCheck.warning("DKIM signature", "It covers a part of the body only (l=).", remedy)


def _judge_way_out(signatures: list[Signature], present: frozenset[str]) -> SetupCheck:
    matter = "DKIM and one-click"
    # One signature has to cover both.
    best = max(signatures, key=lambda one: len(one.signed.intersection(WAY_OUT_HEADERS)))
    unsigned = [name.title() for name in WAY_OUT_HEADERS if name not in best.signed]
    if not unsigned:
        return SetupCheck.ok(matter, "List-Unsubscribe and List-Unsubscribe-Post are signed (RFC 8058).")
    if not present.intersection(WAY_OUT_HEADERS):
        remedy = f"Check a reminder, which has them. {_SIGN_BOTH}"
        return SetupCheck.warning(matter, "The message has no unsubscribe headers, and none are signed.", remedy)
    finding = f"{' and '.join(unsigned)} not signed: mail programs show no unsubscribe button (RFC 8058)."
    return SetupCheck.problem(matter, finding, _SIGN_BOTH)


def check_dmarc(setup: MailSetup) -> Iterator[SetupCheck]:
    """The author's domain has a policy, and the envelope's domain is aligned with it."""
    author, envelope = setup.author_domain, setup.envelope_domain
    policy = dmarc_policy_of(setup.dns, author)
    if policy is None:
        remedy = f'Add a TXT record to _dmarc.{author}: "v=DMARC1; p=none; rua=mailto:dmarc@{author}" to begin with.'
        yield SetupCheck.problem("DMARC", f"{author} has no DMARC record: Gmail and Yahoo ask for one.", remedy)
        return
    if policy.policy == "none":
        remedy = "Read the reports for some weeks, then change it to quarantine."
        yield SetupCheck.warning("DMARC", f"{policy.domain} only watches (p=none).", remedy)
    else:
        yield SetupCheck.ok("DMARC", f"{policy.domain} asks for {policy.policy}.")
    if not policy.reports_to:
        yield SetupCheck.warning("DMARC", "Nobody gets its reports.", "Add rua=mailto:... to the record.")
    if policy.aligned(author, envelope, strict=policy.strict_spf):
        yield SetupCheck.ok("DMARC alignment", f"SPF of {envelope} counts for {author}.")
    else:
        remedy = f"Make CRM_MAIL_DOMAIN a part of {policy.domain}, or rely on DKIM with d={author} alone."
        yield SetupCheck.warning("DMARC alignment", f"SPF of {envelope} does not count for {author}.", remedy)


def outgoing_addresses(setup: MailSetup) -> list[str]:
    """The public addresses that mail leaves from, as far as they are known. Raises DnsSilent."""
    if setup.relay_addresses:
        return list(setup.relay_addresses)
    try:
        known = [ipaddress.ip_address(setup.relay.host).compressed]
    except ValueError:
        known = setup.dns.addresses(setup.relay.host)
    return [one for one in known if ipaddress.ip_address(one).is_global]


def _version(address: str) -> int:
    return ipaddress.ip_address(address).version
