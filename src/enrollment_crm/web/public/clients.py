"""Whose request it is, as far as its network tells: the address of the client, behind proxies that are ours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

Network = IPv4Network | IPv6Network
#: One household or phone has a whole network of this size in IPv6.
_ONE_CLIENT_IN_IPV6 = 64
#: ``[2001:db8::1]:51234``, and ``198.51.100.1:51234``, as some proxies write.
_WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([\d.]+):\d+", re.ASCII)


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies whose ``X-Forwarded-For`` is believed. Nobody else's is: anybody can write one."""

    networks: Sequence[Network] = ()

    @classmethod
    def parse(cls, text: str) -> "TrustedProxies":
        """From addresses and networks, separated by commas. Raises ``ValueError`` for anything else."""
        return cls(tuple(ip_network(one.strip()) for one in text.split(",") if one.strip()))

    def client_of(self, request: Request) -> str:
        """The address that the last proxy of ours was called from; the network of an IPv6 address.

        What is no address at all (a Unix socket, a test) is its own key.
        """
        peer = request.client.host if request.client else ""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        client = peer
        while self._is_ours(client) and forwarded:
            client = forwarded.pop().strip() or client
        return _network_of(client)

    def is_unnamed_proxy(self, request: Request) -> bool:
        """Whether the request came through a proxy that nobody named here, or pretends so."""
        peer = request.client.host if request.client else ""
        return "x-forwarded-for" in request.headers and not self._is_ours(peer)

    def _is_ours(self, text: str) -> bool:
        address = _address_of(text)
        return address is not None and any(address in network for network in self.networks)


def _network_of(text: str) -> str:
    address = _address_of(text)
    if address is None:
        return text[:100]
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(ip_network((address, _ONE_CLIENT_IN_IPV6), strict=False))


def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address in what a socket or a proxy says, which may name a port besides; None: there is none."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(with_port[1] or with_port[2] if with_port else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
