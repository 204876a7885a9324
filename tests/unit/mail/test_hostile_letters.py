"""Letters that were built to break a parser, or that mail systems broke: never a crash, never long, never believed."""

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.mail.letters import BACK_TO, MESSAGE_ID, NOW, SECRET, complaint, dsn

from enrollment_crm.mail.reports import LARGEST_READ_IN_BYTES, Reading, Verdict, read_letter

#: Seconds of CPU: a hundred times what an ordinary report takes, and far from what would hold up the mailbox.
LONGEST = 5.0
HEAD = f"Return-Path: <>\r\nTo: {BACK_TO}\r\n"
MACHINE = f"{HEAD}From: MAILER-DAEMON\r\n\r\n".encode()


def read(letter: bytes) -> Reading:
    begun = time.process_time()
    reading = read_letter(letter, source="bounces", secret=SECRET, now=NOW)
    assert time.process_time() - begun < LONGEST
    return reading


def nested(depth: int) -> bytes:
    opened = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    return (HEAD + opened + "Content-Type: text/plain\r\n\r\nx\r\n").encode()


def parts(number: int) -> bytes:
    part = "--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    return (HEAD + "Content-Type: multipart/report; boundary=b\r\n\r\n" + part * number + "--b--\r\n").encode()


HOSTILE = {
    "empty": b"",
    "blank": b" \r\n\r\n",
    "no header": b"\r\n\r\nhello",
    "binary": bytes(range(256)) * 50,
    "nul": dsn().replace(b"Hello", b"\0\0"),
    "nested": nested(20),
    "deeply nested": nested(5_000),
    "messages in messages": (HEAD + "Content-Type: message/rfc822\r\n\r\n" * 3_000).encode(),
    "a thousand parts": parts(1_000),
    "ten million bytes": dsn() + b"x" * 10_000_000,
    "one line of ten million bytes": HEAD.encode() + b"Subject: " + b"x" * 10_000_000,
    "many headers": HEAD.encode() + b"X-A: b\r\n" * 200_000 + b"\r\nbody",
    "many boundaries": (HEAD + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n" * 300_000).encode(),
    "a bomb in base64": (
        HEAD + "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode()
    + b"QWN0aW9uOiBmYWlsZWQK" * 90_000,
    "a charset that lies": dsn().replace(b"text/plain", b"text/plain; charset=utf-16"),
    "a charset that does not exist": dsn().replace(b"text/plain", b'text/plain; charset="x-\xff-no"'),
    "eight bits everywhere": dsn(diagnostic="smtp; 550 5.1.1 \u00e4\u00f6\u00fc \u65e0\u6b64\u7528\u6237"),
    "latin-1 in headers": dsn().replace(b"Undelivered", b"Unzustellbar \xe4\xf6"),
    "a boundary that never ends": dsn()[:-110],
    "no boundary": dsn().replace(b'boundary="b"', b""),
    "encoded words that are none": dsn().replace(b"Undelivered", b"=?utf-8?q?=ff=fe?= =?x?b?!!?="),
    "a date beyond time": dsn(date="Tue, 24 Nov 99999 99:99:99 +9999"),
    "a regular expression's nightmare": MACHINE + b"<" * 200_000 + b" @" * 50_000,
    "addresses without end": MACHINE + b"a@b" * 400_000,
    "recipients without end": b"".join(b"Delivered-To: a@b\r\n" for _ in range(50_000)) + dsn(),
    "a type that is none": dsn().replace(b"message/delivery-status", b"message"),
    "a status that is text": dsn().replace(b"message/delivery-status", b"text/rfc822-headers"),
    "an action of eight bits": dsn(action="f\u00e4iled"),
    "a complaint of eight bits": complaint(feedback_type="\u00e4buse"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_letters_have_a_verdict(name: str) -> None:
    assert read(HOSTILE[name]).verdict in Verdict


@pytest.mark.parametrize("name", ["deeply nested", "messages in messages", "a thousand parts", "empty"])
def test_what_would_exhaust_a_parser_is_set_aside(name: str) -> None:
    assert read(HOSTILE[name]).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("name", ["ten million bytes", "eight bits everywhere", "nul", "a boundary that never ends"])
def test_a_real_report_in_bad_shape_still_counts(name: str) -> None:
    assert read(HOSTILE[name]).verdict is Verdict.FEEDBACK


def test_a_report_behind_what_is_read_is_not_seen() -> None:
    assert read(HEAD.encode() + b"\r\n" + b"x" * LARGEST_READ_IN_BYTES + dsn()).verdict is not Verdict.FEEDBACK


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 10_000))
def test_no_bytes_crash_the_reader(noise: bytes, where: int) -> None:
    for whole in (dsn(), complaint()):
        place = where % len(whole)
        read(whole[:place] + noise + whole[place:])
        read(whole[:place] + noise)
    read(noise)


def test_no_broken_byte_makes_a_message_of_ours_of_another() -> None:
    """What the HMAC does not hold for is not believed: each hexadecimal digit of the address is worth all of it."""
    whole, random = dsn(), Random(7)
    hexadecimal = [at for at in range(len(whole)) if whole[at : at + 1] in b"0123456789abcdef"]
    for at in random.sample(hexadecimal, 200):
        reading = read(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert reading.feedback is None or reading.feedback.message_id.startswith(MESSAGE_ID.partition("@")[0])
