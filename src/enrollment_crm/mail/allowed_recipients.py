"""Who may be written to at all: outside production, only domains that somebody has listed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.mail.addresses import AddressInvalid, mailbox_of
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.transport import RecipientNotAllowed, Transport

#: Stands for every domain.
EVERY_DOMAIN = "*"


@dataclass(frozen=True)
class AllowedRecipients:
    """Domains, lower-case A-labels, and single addresses; a domain does not stand for the ones below it."""

    domains: frozenset[str]
    addresses: frozenset[str] = frozenset()

    @classmethod
    def listed(cls, domains: str, *, addresses: str = "") -> "AllowedRecipients":
        """Read lists that are divided by commas.

        Raises:
            ValueError: an entry is no domain name; the sentence says which.
        """
        return cls(frozenset(map(_domain, _entries(domains))), frozenset(one.lower() for one in _entries(addresses)))

    def allow(self, address: str) -> bool:
        """Whether this envelope address may be written to."""
        domain = address.rpartition("@")[2].lower()
        return EVERY_DOMAIN in self.domains or domain in self.domains or address.lower() in self.addresses


class GuardedTransport:
    """A transport that hands over what is allowed, and refuses the rest before anybody is connected to."""

    def __init__(self, inner: Transport, allowed: AllowedRecipients) -> None:
        self._inner = inner
        self._allowed = allowed

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Hand one message over; see `Transport.send`.

        Raises:
            RecipientNotAllowed: the recipient's domain is not listed.
        """
        if not self._allowed.allow(message.envelope_recipient):
            raise RecipientNotAllowed(
                "Not sent: outside production, only domains in CRM_ALLOWED_RECIPIENT_DOMAINS are written to."
            )
        return self._inner.send(message, before_data=before_data)

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        """Ask the transport inside."""
        return self._inner.was_accepted(message_id, since=since)

    def close(self) -> None:
        """Close the transport inside."""
        self._inner.close()


def _entries(text: str) -> list[str]:
    return [entry for part in text.split(",") if (entry := part.strip())]


def _domain(entry: str) -> str:
    if entry == EVERY_DOMAIN:
        return entry
    try:
        return mailbox_of(f"postmaster@{entry.lower()}").spec.rpartition("@")[2]
    except AddressInvalid as error:
        raise ValueError(f"{entry!r} is no domain: write CRM_ALLOWED_RECIPIENT_DOMAINS=example.edu,lab.edu") from error
