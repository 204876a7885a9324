import pytest

from enrollment_crm.mail.smtp_replies import Phase, Reply, refusal
from enrollment_crm.mail.transport import AddressRefused, SenderRefused, TemporarilyRefused

ADDRESS = [
    (Phase.RCPT, "550 5.1.1 no such user"),
    (Phase.RCPT, "550 5.1.10 null MX"),
    (Phase.RCPT, "550 5.2.1 disabled"),
    (Phase.RCPT, "550 5.4.1 no such domain here"),
    (Phase.RCPT, "550 5.5.0 mailbox unavailable"),
    (Phase.RCPT, "550 no such user"),
    (Phase.RCPT, "556 no mail here"),
    (Phase.CONTENT, "550 5.1.1 no such user"),
]
OURS = [
    (Phase.MAIL, "550 5.1.1 no such sender"),
    (Phase.RCPT, "553 5.1.8 bad sender"),
    (Phase.RCPT, "550 5.7.1 blocked"),
    (Phase.RCPT, "550 5.7.26 unauthenticated"),
    (Phase.RCPT, "554 no"),
    (Phase.RCPT, "503 5.5.1 bad sequence"),
    (Phase.CONTENT, "550 no"),
    (Phase.CONTENT, "552 5.3.4 too big"),
    (Phase.CONTENT, "554 5.6.0 malformed"),
    (Phase.SESSION, "535 5.7.8 bad password"),
]
LATER = [
    (Phase.RCPT, "452 4.2.2 mailbox full"),
    (Phase.CONTENT, "421 4.7.0 slow down"),
    (Phase.MAIL, "450 not now"),
]


def reply(text: str) -> Reply:
    code, _, words = text.partition(" ")
    return Reply.of((int(code), words.encode()))


@pytest.mark.parametrize(("phase", "text"), ADDRESS)
def test_about_the_address(phase: Phase, text: str) -> None:
    assert type(refusal(reply(text), phase)) is AddressRefused


@pytest.mark.parametrize(("phase", "text"), OURS)
def test_about_ourselves(phase: Phase, text: str) -> None:
    assert type(refusal(reply(text), phase)) is SenderRefused


@pytest.mark.parametrize(("phase", "text"), LATER)
def test_later(phase: Phase, text: str) -> None:
    assert type(refusal(reply(text), phase)) is TemporarilyRefused


def test_a_reply_is_kept_on_one_line_without_the_address() -> None:
    read = Reply.of((550, b"5.1.1 <Ana@Example.org>\n5.1.1 unknown \xff"), without="ana@example.org")
    assert str(read) == "550 5.1.1 <<recipient>> 5.1.1 unknown \ufffd"
    assert read.enhanced == "5.1.1"


def test_a_reply_is_kept_without_what_no_database_and_no_screen_take() -> None:
    assert str(Reply.of((250, b"2.0.0 queued\0as\x1b[31m 7"))) == "250 2.0.0 queued as [31m 7"


def test_a_stored_reply_names_nobody() -> None:
    said = (550, b"5.1.1 User ana.silva unknown; try silva.ana@other.example, not Ana.Silva@example.edu")

    assert str(Reply.of(said, without="ana.silva@example.edu")) == (
        "550 5.1.1 User <recipient> unknown; try <address> not <recipient>"
    )
