"""Whose post it is: X-Forwarded-For is believed of proxies that are named, and of nobody else."""

import pytest
from starlette.requests import Request

from enrollment_crm.web.public.clients import TrustedProxies

PROXIES = TrustedProxies.parse("10.0.0.0/8, 192.0.2.7,2001:db8::1")


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer is not None else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # a stranger may write what they like
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # only the last one was written by our proxy
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1, 192.0.2.7"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1", "198.51.100.1", "10.9.9.9"], "198.51.100.1"),
        ("10.1.2.3", ["10.4.4.4"], "10.4.4.4"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["unknown"], "unknown"),
        ("10.1.2.3", ["x" * 5000], "x" * 100),
        ("2001:db8::1", ["2001:db8:5:6:7::8"], "2001:db8:5:6::/64"),
        ("2001:db8:5:6:ffff::1", [], "2001:db8:5:6::/64"),
        ("::ffff:203.0.113.9", [], "203.0.113.9"),
        ("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1"),  # a socket of both families names IPv4 like this
        ("10.1.2.3", ["198.51.100.1:51234"], "198.51.100.1"),  # some proxies name the port, another one each time
        ("10.1.2.3", ["[2001:db8:5:6:7::8]:51234"], "2001:db8:5:6::/64"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1:1, 192.0.2.7:51234"], "198.51.100.1"),
        ("testclient", [], "testclient"),
        (None, [], ""),
    ],
)
def test_client(peer: str | None, forwarded: list[str], client: str) -> None:
    assert PROXIES.client_of(request(peer, *forwarded)) == client


def test_nobody_is_believed_where_nobody_is_named() -> None:
    assert TrustedProxies.parse("").client_of(request("127.0.0.1", "198.51.100.1")) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "is_unnamed"),
    [
        ("172.18.0.1", ["198.51.100.1"], True),
        ("::ffff:10.1.2.3", ["198.51.100.1"], False),
        ("172.18.0.1", [], False),
        ("10.1.2.3", ["198.51.100.1"], False),
    ],
)
def test_a_proxy_that_nobody_named_is_seen(peer: str, forwarded: list[str], is_unnamed: bool) -> None:
    assert PROXIES.is_unnamed_proxy(request(peer, *forwarded)) is is_unnamed


@pytest.mark.parametrize("text", ["everybody", "10.0.0.0/33", "10.0.0.1 10.0.0.2", "*"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        TrustedProxies.parse(text)
