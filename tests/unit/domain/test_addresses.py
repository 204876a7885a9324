import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.addresses import address_key, is_plausible_address

PLAUSIBLE = (
    "a@b.co",
    "o'brien@example.ie",
    "first.last+tag@sub.example.com",
    "dots..in.odd.places.@example.com",
    "दिलीप@उदाहरण.example",
    "a@bücher.example",
    "a@xn--bcher-kva.example",
    "a@例え。example",
)
IMPLAUSIBLE = (
    "",
    "nobody",
    "a@b",
    "a b@example.com",
    "a@b@example.com",
    "a@-b.example",
    "a@b-.example",
    "a@192.0.2.1",
    "a@example..com",
    '"quoted"@example.com',
    "a@example.com\nBcc: b@example.com",
    "a@example.com\n",
    "a\u200bb@example.com",
    "a\ufffd@example.com",
    "\ud800@example.com",
    "a" * 65 + "@example.com",
    "a@" + "b" * 64 + ".example",
    "a@" + "b." * 150 + "example",
    "x" * 1_000_000,
)


@pytest.mark.parametrize("address", PLAUSIBLE)
def test_takes_what_mail_can_reach(address: str) -> None:
    assert is_plausible_address(address)


@pytest.mark.parametrize("address", IMPLAUSIBLE, ids=lambda address: repr(address[:30]))
def test_refuses_what_mail_cannot_reach(address: str) -> None:
    assert not is_plausible_address(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Asha.Rao@Example.COM", "asha.rao@example.com"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example", "a@bücher.example"),
        ("a@例え。example", "a@例え.example"),
        ("a@example.com.", " a@example.com "),
        ("ma\u0301ria@example.com", "m\u00e1ria@example.com"),
    ],
)
def test_spellings_of_one_address_share_a_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.b@example.com", "ab@example.com"),
        ("a+x@example.com", "a@example.com"),
        ("a@straße.example", "a@strasse.example"),  # two owners, which IDNA 2003 makes one
    ],
)
def test_addresses_of_two_people_keep_two_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


def test_the_key_is_written_like_this() -> None:
    assert address_key("Min-Ji.Lee+crm@Bücher.Example") == "min-ji.lee+crm@xn--bcher-kva.example"


@given(st.text(max_size=40))
def test_a_key_is_its_own_key_and_nothing_crashes(text: str) -> None:
    is_plausible_address(text)
    address_key(text)


@given(st.emails())
def test_the_key_of_a_key_is_the_key(address: str) -> None:
    assert address_key(address_key(address)) == address_key(address)
