"""Addresses as nobody would write them: each is accepted or rejected in words, and none is lost."""

import pytest
from tests.integration.hostile_road import HostileRoad

#: Unusual, and mail reaches them.
TAKEN = (
    "simple@example.com",
    "very.common@example.com",
    "plus+tag+sorting@example.com",
    "UPPER.Case@EXAMPLE.COM",
    "x@example.com",
    "dots..in..odd..places.@docomo.example",
    "o'brien-smith@example.co.uk",
    "user%example.com@example.org",
    "!#$%&'*+-/=?^_`{|}~@example.org",
    "123456@example.com",
    "a@b-c.example",
    "a@xn--bcher-kva.example",
    "a@bücher-zwei.example",
    "квіточка@пошта.укр",
    "用户@例子.广告",
    "a@例子。广告",
    "δοκιμή@παράδειγμα.δοκιμή",
    "josé@example.com",
    "jose\u0301@example.com.mx",
    "a@" + "b" * 63 + ".example",
    "l" * 64 + "@example.com",
)
#: Cannot be one, or not one of somebody who fills in a form (quoted, comments, an IP address).
REFUSED = (
    "plain",
    "@example.com",
    "a@",
    "a@b@example.com",
    "a b@example.com",
    '"quoted string"@example.com',
    '"very.(),:;<>[]\\".VERY"@example.com',
    "comment(one)@example.com",
    "(comment)a@example.com",
    "a@(comment)example.com",
    "a@[192.0.2.1]",
    "a@[IPv6:2001:db8::1]",
    "a@192.0.2.1",
    "a@localhost",
    "a@-example.com",
    "a@example-.com",
    "a@example..com",
    "a@.example.com",
    "a@example.com.",
    "a@exam_ple.com",
    "a@" + "b" * 64 + ".example",
    "l" * 65 + "@example.com",
    "a@" + ".".join(["label"] * 60) + ".example",
    "x" * 320 + "@example.com",
    "x" * 9_000 + "@example.com",
    "x" * 20_000 + "@example.com",
    "Ana Silva <ana@example.edu>",
    "mailto:ana@example.edu",
    "ana@example.edu, ben@example.edu",
    "ana@example.edu;ben@example.edu",
    "ana@example.edu\r\nBcc: all@example.edu",
    "ana@example.edu\nX-Injected: yes",
    "a\x00@example.com",
    "a\u200b@example.com",
    "a\u202e@example.com",
    "a\u2028@example.com",
    "a\u00ad@example.com",
    "a@ex\u00adample.com",
    "a@example.com\u061c",
    "a\ufe0f@example.com",
    "a@ex\U000e0061ample.com",
    "a\ue000@example.com",
    "a@ex\uffffample.com",
    "\ufeffa\u00a0b@example.com",
    "a@example.com\u0301\ufffd",
    "=cmd|'/C calc'!A0@example",
    "{{ 7777777 }}@{% x %}",
    "ana at example dot edu",
    "ana@example,edu",
    "１２３",
    "@",
    "@@",
    "💌",
)


def test_unusual_addresses_are_taken_and_written_to_as_they_were_given(road: HostileRoad) -> None:
    for address in TAKEN:
        road.post(email=address)
    road.take_in()
    road.check()
    assert road.rules() == []
    assert len(road.addresses()) == len(TAKEN)
    assert len(road.mails()) == len(TAKEN)


def test_what_cannot_be_an_address_is_refused_in_words(road: HostileRoad) -> None:
    for address in REFUSED:
        road.post(email=address)
    road.take_in()
    road.check()
    assert road.addresses() == []
    assert set(road.rules()) <= {"email_implausible", "email_missing", "row_damaged"}
    assert len(road.rules()) == len(REFUSED)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Ana@Example.EDU", "ana@example.edu", " ana@example.edu\t", "\u200bana@example.edu\ufeff"),
        ("a@bücher.example", "a@BÜCHER.example", "a@xn--bcher-kva.example", "a@bu\u0308cher.example"),
        ("josé@example.com", "JOSE\u0301@example.com"),
    ],
)
def test_spellings_of_one_address_are_one_person(road: HostileRoad, spellings: tuple[str, ...]) -> None:
    for number, spelling in enumerate(spellings):
        road.post(email=spelling, submission=str(number))
    road.take_in()
    road.check()
    assert len(road.addresses()) == 1
    assert len(road.mails()) == 1


def test_two_domains_of_two_owners_stay_two_people(road: HostileRoad) -> None:
    road.post(email="a@straße.example")
    road.post(email="a@strasse.example")
    road.take_in()
    road.check()
    assert len(road.addresses()) == 2
