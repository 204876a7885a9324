"""Questions to DNS. Nothing there is an answer; nobody who answers is an error with a name."""

from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.nameserver
import dns.resolver
import dns.reversename


class DnsSilent(Exception):
    """No name server answered in time, or all of them failed: what was asked is not known."""


@dataclass(frozen=True)
class Dns:
    """Asks the servers of this machine, or the ones that are named; answers come in order of their text.

    A name that does not exist, or has no such record, gives nothing. Every question raises DnsSilent.
    """

    #: IP addresses of name servers, perhaps with ``:port``; empty: those of this machine.
    servers: tuple[str, ...] = ()
    timeout_in_seconds: float = 5
    _resolver: list[dns.resolver.Resolver] = field(default_factory=list, repr=False)

    def texts(self, name: str) -> list[str]:
        """TXT records, each with its strings joined."""
        return sorted(b"".join(one.strings).decode("utf-8", "replace") for one in self._ask(name, "TXT"))

    def addresses(self, name: str) -> list[str]:
        """IP addresses, of version 4 and 6."""
        return [one.address for kind in ("A", "AAAA") for one in self._sorted(name, kind)]

    def mail_exchangers(self, name: str) -> list[str]:
        """Hosts that take mail for a domain."""
        return [one.exchange.to_text(omit_final_dot=True) for one in self._sorted(name, "MX")]

    def names_of(self, address: str) -> list[str]:
        """Host names of an IP address (PTR)."""
        reverse = dns.reversename.from_address(address).to_text()
        return [one.target.to_text(omit_final_dot=True) for one in self._sorted(reverse, "PTR")]

    def _sorted(self, name: str, kind: str) -> list[Any]:
        return sorted(self._ask(name, kind), key=str)

    def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self._asks().resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise DnsSilent(f"No name server told {kind} of {name} ({type(error).__name__}).") from error

    def _asks(self) -> dns.resolver.Resolver:
        if not self._resolver:
            resolver = dns.resolver.Resolver(configure=not self.servers)
            if self.servers:
                resolver.nameservers = [_server(one) for one in self.servers]
            resolver.lifetime, resolver.timeout = self.timeout_in_seconds, self.timeout_in_seconds / 2
            self._resolver.append(resolver)
        return self._resolver[0]


def _server(text: str) -> dns.nameserver.Nameserver:
    address, colon, port = text.rpartition(":")
    if colon and address.count(":") == 0:
        return dns.nameserver.Do53Nameserver(address, int(port))
    return dns.nameserver.Do53Nameserver(text, 53)
