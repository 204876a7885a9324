"""What leaves on the socket is legal, whoever the reader is; what cannot be legal is refused by name."""

import email
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.wire import LONGEST_LINE, Letter, Wire, running_wire

from enrollment_crm.mail.addresses import AddressInvalid
from enrollment_crm.mail.bodies import ContentRefused
from enrollment_crm.mail.headers import HeaderRefused
from enrollment_crm.mail.messages import (
    OutgoingMessage,
    Recipient,
    Sender,
    build_message,
    envelope_sender_of,
    message_id_of,
    read_envelope_sender,
)
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.mail.templates import RenderedEmail
from enrollment_crm.mail.transport import InternationalAddressRefused, SenderRefused

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = b"a secret of the tests"
WAY_OUT = "https://crm.example/unsubscribe/1.7.deadlines.0123456789abcdef0123456789abcdef"
MESSAGE_ID = message_id_of("7:welcome", secret=SECRET, mail_domain="crm.example")
VERP = envelope_sender_of(MESSAGE_ID, secret=SECRET, mail_domain="crm.example")
EXPECTED = [
    "from", "to", "reply-to", "subject", "date", "message-id", "auto-submitted", "feedback-id",
    "list-unsubscribe", "list-unsubscribe-post", "mime-version", "content-type",
]  # fmt: skip
REFUSED_BY_NAME = (AddressInvalid, HeaderRefused, ContentRefused, InternationalAddressRefused)


def message(
    *,
    name: str = "Ana Silva",
    address: str = "ana@example.org",
    subject: str = "Your date",
    text: str = "Hello\n",
    html: str = "<p>Hello</p>\n",
    marketing: bool = True,
) -> OutgoingMessage:
    rendered = RenderedEmail(
        name="welcome",
        subject=subject,
        text=text,
        html=html,
        template_version="v1",
        purpose="marketing" if marketing else "transactional",
        topic="deadlines",
    )
    return build_message(
        rendered,
        recipient=Recipient(name, address),
        sender=Sender("Graduate Admissions", "admissions@crm.example", "answers@crm.example", "crm.example"),
        message_id=MESSAGE_ID,
        envelope_sender=VERP,
        feedback_id="welcome:p:v1:crm.example",
        unsubscribe_url=WAY_OUT if marketing else None,
        now=NOON,
    )


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with running_wire() as one:
        yield one


@pytest.fixture(scope="module")
def transport(wire: Wire) -> Iterator[SmtpTransport]:
    one = SmtpTransport(SmtpOptions(host="127.0.0.1", port=wire.port, helo_name="crm.example"))
    yield one
    one.close()


def sent(wire: Wire, transport: SmtpTransport, outgoing: OutgoingMessage) -> Letter:
    """Send one message; what stood on the wire."""
    before = len(wire.letters)
    transport.send(outgoing, before_data=lambda: None)
    (letter,) = wire.letters[before:]
    return letter


def assert_legal(letter: Letter, *, marketing: bool = True) -> EmailMessage:
    """RFC 5321 and 5322, nothing injected, and the headers of the law of the inbox; as the reader's program reads."""
    wire = letter.data
    assert wire.count(b"\n") == wire.count(b"\r\n") == wire.count(b"\r")
    assert wire.count(b"\r\n.\r\n") == 1
    assert b"\0" not in wire
    assert all(len(line) <= LONGEST_LINE for line in letter.content.split(b"\r\n"))
    names = [name for name, _ in letter.headers]
    assert names == [name for name in EXPECTED if marketing or not name.startswith("list-")]
    parsed = email.message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert [name.lower() for name in parsed] == names
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert not parsed.defects
    assert letter.header("auto-submitted") == "auto-generated"
    assert letter.header("feedback-id") == "welcome:p:v1:crm.example"
    assert letter.header("message-id") == MESSAGE_ID
    if marketing:
        assert re.fullmatch(r"<https://[^<>,\s]+>", letter.header("list-unsubscribe"))
        assert letter.header("list-unsubscribe-post") == "List-Unsubscribe=One-Click"
    return parsed


def test_the_envelope_sender_is_signed(wire: Wire, transport: SmtpTransport) -> None:
    letter = sent(wire, transport, message())
    (mail,) = (line for line in letter.commands if line.upper().startswith(b"MAIL"))
    found = re.fullmatch(rb"mail FROM:<([^>]+)> size=\d+", mail, re.IGNORECASE)
    assert found
    assert read_envelope_sender(found[1].decode(), secret=SECRET) == MESSAGE_ID


def test_transactional_mail_has_no_way_out(wire: Wire, transport: SmtpTransport) -> None:
    assert_legal(sent(wire, transport, message(marketing=False)), marketing=False)


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        ("ana@bücher.example", b"ana@xn--bcher-kva.example"),
        ("ana@faß.example", b"ana@xn--fa-hia.example"),  # IDNA2008; its predecessor made another domain of it
        ("ana@王小明.example", b"ana@xn--" + "王小明".encode("punycode") + b".example"),
        ("ANA@Example.ORG", b"ANA@Example.ORG"),
        ("o'brien+crm@example.org", b"o'brien+crm@example.org"),
        ("taro..yamada@docomo.example", b'"taro..yamada"@docomo.example'),
    ],
)
def test_an_address_as_it_leaves(wire: Wire, transport: SmtpTransport, address: str, recipient: bytes) -> None:
    letter = sent(wire, transport, message(address=address))
    assert [line for line in letter.commands if line.upper().startswith(b"RCPT")] == [b"RCPT TO:<" + recipient + b">"]
    assert_legal(letter)
    assert letter.content.isascii()
    assert recipient.decode() in letter.header("to")


@pytest.mark.parametrize(
    "address",
    [
        "ana(comment)@example.org", '"ana b"@example.org', "ana@example.org, bo@example.org", "<ana@example.org>",
        "ana@example.org\r\nRCPT TO:<eve@example.org>", "ana\n@example.org", "ana\u2028@example.org",
        "ana\0@example.org",
        "ana@[192.0.2.1]", "@example.org", "ana", "ana@-x.example", "ana@" + "x" * 64 + ".example",
        "x" * 65 + "@example.org", "ana@\ud800.example", "a\u200bna@example.org", 'a"b@example.org', "a\\b@example.org",
    ],
)  # fmt: skip
def test_an_address_that_is_none_never_leaves(wire: Wire, transport: SmtpTransport, address: str) -> None:
    before = len(wire.letters)
    with pytest.raises(AddressInvalid):
        sent(wire, transport, message(address=address))
    assert len(wire.letters) == before


def test_a_local_part_in_other_letters_needs_a_relay_that_offers_it(wire: Wire, transport: SmtpTransport) -> None:
    jose = message(address="josé@bücher.example", name="José")
    with pytest.raises(InternationalAddressRefused):
        sent(wire, transport, jose)
    with running_wire("SMTPUTF8", "8BITMIME", "SIZE") as knows:
        utf8 = SmtpTransport(SmtpOptions(host="127.0.0.1", port=knows.port, helo_name="crm.example"))
        letter = sent(knows, utf8, jose)
        utf8.close()
    assert f"RCPT TO:<{'josé@xn--bcher-kva.example'}>".encode() in letter.commands
    assert any(line.endswith(b"SMTPUTF8 BODY=8BITMIME") for line in letter.commands)
    assert letter.header("to").endswith("<josé@xn--bcher-kva.example>")


@pytest.mark.parametrize(
    "hostile", ["\r\nBcc: eve@example.org", "\n", "\r", "\0", "\u2028", "\u2029", "\x85", "\ud800"]
)
@pytest.mark.parametrize("where", ["name", "subject"])
def test_what_would_break_out_of_a_header_never_leaves(
    wire: Wire, transport: SmtpTransport, hostile: str, where: str
) -> None:
    before = len(wire.letters)
    with pytest.raises(HeaderRefused):
        sent(wire, transport, message(**{where: f"Ana{hostile} Silva"}))  # type: ignore[arg-type]
    assert len(wire.letters) == before


@pytest.mark.parametrize(
    "subject",
    ["x" * 400, "ab " * 133 + "c", "é" * 400, "🎓" * 100, "=?utf-8?q?=0D=0ABcc:_eve?=", " ", "", "a\u00a0b" * 99],
)
def test_a_subject_is_read_as_it_was_written(wire: Wire, transport: SmtpTransport, subject: str) -> None:
    letter = sent(wire, transport, message(subject=subject))
    assert str(assert_legal(letter)["subject"]).strip() == subject.strip()
    for word in re.findall(r"=\?utf-8\?b\?[^?]*\?=", letter.header("subject")):
        assert len(word) <= 75  # RFC 2047 2


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5000, "é" * 5000, ".\n..\n.x\n", "\n.\nMAIL FROM:<eve@example.org>\n", "a\rb\r\n.\r\nc", "\r.\r", "\n.\r",
        "no line end", "", "\0\x01\x1b", "--=_boundary\n", "From Ana\n", "\u2028.\u2028",
    ],
)  # fmt: skip
def test_a_body_cannot_end_the_message(wire: Wire, transport: SmtpTransport, text: str) -> None:
    letter = sent(wire, transport, message(text=text, html=f"<p>{'y' * 3000}</p>"))
    plain = next(iter(assert_legal(letter).iter_parts()))
    expected = re.sub(r"\r\n|\r", "\n", text).removesuffix("\n")
    assert plain.get_content().replace("\r\n", "\n").removesuffix("\n") == expected


@pytest.mark.parametrize(
    "content", [b"A: b\r\n\r\nx\n.\r\n", b"A: b\r\n\r\n\r.\r\n", b"A: b\r\n\r\nx", b"A: b\n\nx\r\n"]
)
def test_frozen_bytes_with_odd_line_ends_never_leave(wire: Wire, transport: SmtpTransport, content: bytes) -> None:
    before = len(wire.letters)
    with pytest.raises(SenderRefused, match="CR LF"):
        sent(wire, transport, OutgoingMessage(VERP, "ana@example.org", MESSAGE_ID, content, requires_smtputf8=False))
    assert len(wire.letters) == before


anything = st.text(max_size=120) | st.text(alphabet="\r\n.:<>@=?\0 \u2028é王a", max_size=60)


anybody = st.fixed_dictionaries({"name": anything, "subject": anything, "text": anything, "address": anything})


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=anybody, marketing=st.booleans())
def test_whatever_people_are_called_what_leaves_is_legal(
    wire: Wire, transport: SmtpTransport, values: dict[str, str], marketing: bool
) -> None:
    values["address"] = f"{values['address'] or 'ana'}@example.org"
    before = len(wire.letters)
    try:
        outgoing = message(marketing=marketing, **values)
        letter = sent(wire, transport, outgoing)
    except REFUSED_BY_NAME:
        assert len(wire.letters) == before
        return
    parsed = assert_legal(letter, marketing=marketing)
    assert str(parsed["subject"]).split() == values["subject"].split()
    (reader,) = parsed["to"].addresses
    assert reader.domain == "example.org"
    assert outgoing.envelope_recipient in letter.header("to")
