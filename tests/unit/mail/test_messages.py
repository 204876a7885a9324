import email
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from enrollment_crm.mail.addresses import AddressInvalid
from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod
from enrollment_crm.mail.headers import HeaderRefused
from enrollment_crm.mail.messages import (
    EnvelopeSenderInvalid,
    OutgoingMessage,
    Recipient,
    Sender,
    build_message,
    envelope_sender_of,
    message_id_of,
    read_envelope_sender,
)
from enrollment_crm.mail.templates import RenderedEmail

SECRET = b"secret"
NOW = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("America/New_York"))
ANA = Recipient("Ana Silva", "ana@example.org")
SENDER = Sender("Graduate Admissions", "admissions@crm.example", "answers@crm.example", "crm.example")
WELCOME = RenderedEmail("welcome", "Hello", "<p>Hello</p>\n", "Hello\n", "0123456789ab", "marketing", "admissions")
RECEIPT = replace(WELCOME, purpose="transactional")
MESSAGE_ID = message_id_of("7|welcome|fall 2027", secret=SECRET, mail_domain="crm.example")
WAY_OUT = "https://crm.example/unsubscribe/1.7.admissions.abc"


def built(
    rendered: RenderedEmail = WELCOME,
    recipient: Recipient = ANA,
    unsubscribe_url: str | None = WAY_OUT,
    feedback_id: str = "welcome:fall-2027:marketing:crm",
    now: datetime = NOW,
    *,
    calendar: CalendarFile | None = None,
) -> OutgoingMessage:
    return build_message(
        rendered,
        recipient=recipient,
        sender=SENDER,
        message_id=MESSAGE_ID,
        envelope_sender=envelope_sender_of(MESSAGE_ID, secret=SECRET, mail_domain="crm.example"),
        feedback_id=feedback_id,
        unsubscribe_url=unsubscribe_url,
        now=now,
        calendar=calendar,
    )


def parsed(message: OutgoingMessage) -> EmailMessage:
    read = email.message_from_bytes(message.content, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    assert not [defect for part in read.walk() for defect in part.defects]
    return read


def test_the_headers_of_marketing_mail() -> None:
    assert [(name, str(value)) for name, value in parsed(built()).items()] == [
        ("From", "Graduate Admissions <admissions@crm.example>"),
        ("To", "Ana Silva <ana@example.org>"),
        ("Reply-To", "answers@crm.example"),
        ("Subject", "Hello"),
        ("Date", "Tue, 24 Nov 2026 10:00:00 -0500"),
        ("Message-ID", MESSAGE_ID),
        ("Auto-Submitted", "auto-generated"),
        ("Feedback-ID", "welcome:fall-2027:marketing:crm"),
        ("List-Unsubscribe", f"<{WAY_OUT}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("MIME-Version", "1.0"),
        ("Content-Type", parsed(built())["Content-Type"]),
    ]


def test_transactional_mail_has_no_way_out() -> None:
    message = parsed(built(RECEIPT, unsubscribe_url=None))
    assert "List-Unsubscribe" not in message
    assert "List-Unsubscribe-Post" not in message


@pytest.mark.parametrize(("rendered", "url"), [(WELCOME, None), (WELCOME, ""), (RECEIPT, WAY_OUT)])
def test_the_way_out_belongs_to_marketing_mail_alone(rendered: RenderedEmail, url: str | None) -> None:
    with pytest.raises(ValueError, match="unsubscribe URL with marketing mail"):
        built(rendered, unsubscribe_url=url)


def test_text_comes_first_and_both_parts_read_back() -> None:
    message = parsed(built(replace(WELCOME, text="Grüße,\n.\n\nFrom us\n", html="<p>Grüße “王”</p>\n" + "x" * 2000)))
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == "Grüße,\n.\n\nFrom us\n"
    assert html.get_content().replace("\r\n", "\n") == (
        "<p>Gr&#252;&#223;e &#8220;&#29579;&#8221;</p>\n" + "x" * 2000 + "\n"
    )


@pytest.mark.parametrize("method", CalendarMethod)
def test_a_calendar_file_is_the_third_form_of_the_same_message(method: CalendarMethod) -> None:
    file = CalendarFile(method, f"BEGIN:VCALENDAR\r\nMETHOD:{method.value}\r\nSUMMARY:Größe 王\r\nEND:VCALENDAR\r\n")
    message = parsed(built(RECEIPT, unsubscribe_url=None, calendar=file))
    assert message.get_content_type() == "multipart/alternative"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/calendar"]
    assert dict(parts[2]["Content-Type"].params) == {"method": method.value, "charset": "utf-8"}
    assert isinstance(parts[2], EmailMessage)
    assert parts[2].get_content().encode() == file.text.encode()


def test_without_a_calendar_file_the_bytes_are_as_they_always_were() -> None:
    """Frozen messages and their digests: literal on purpose."""
    assert (
        hashlib.sha256(built().content).hexdigest()
        == "6dc16d0c389d4e35adfb0057a1797fddd4d01b59b7b457846d00cf10c077fd9c"
    )


def test_the_bytes_are_legal_smtp_lines() -> None:
    content = built(replace(WELCOME, subject="é" * 300), Recipient("王" * 80, "ana@example.org")).content
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert built() == built()


def test_a_non_ascii_domain_is_written_in_ascii() -> None:
    message = built(recipient=Recipient("Ana", "ana@bücher.example"))
    assert message.envelope_recipient == "ana@xn--bcher-kva.example"
    assert not message.requires_smtputf8
    assert b"To: Ana <ana@xn--bcher-kva.example>\r\n" in message.content


def test_a_non_ascii_local_part_asks_for_smtputf8() -> None:
    message = built(recipient=Recipient("José", "josé@example.org"))
    assert message.requires_smtputf8
    assert "<josé@example.org>".encode() in message.content


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"rendered": replace(WELCOME, subject="a\r\nBcc: x@y.example")}, HeaderRefused),
        ({"rendered": replace(WELCOME, subject="a\u2028b")}, HeaderRefused),
        ({"recipient": Recipient("Ana\nBcc: x@y.example", "ana@example.org")}, HeaderRefused),
        ({"recipient": Recipient("Ana", "ana@example.org\r\nBcc: x@y.example")}, AddressInvalid),
        ({"recipient": Recipient("Ana", "not an address")}, AddressInvalid),
        ({"feedback_id": "a\r\nX: y"}, HeaderRefused),
        ({"unsubscribe_url": "https://crm.example/a>, <mailto:x@y.example"}, HeaderRefused),
        ({"unsubscribe_url": "https://crm.example/a\r\nX: y"}, HeaderRefused),
    ],
)
def test_nothing_breaks_out_of_its_header(wrong: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        built(**wrong)  # type: ignore[arg-type]


def test_a_subject_of_400_characters_is_legal() -> None:
    assert parsed(built(replace(WELCOME, subject="long " * 80 + "end")))["Subject"] == "long " * 80 + "end"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        built(now=datetime(2026, 11, 24, 10, tzinfo=UTC).replace(tzinfo=None))


def test_a_message_id_belongs_to_its_key_for_ever() -> None:
    assert MESSAGE_ID == "<ff9005c20f9b61d3462183420730333b@crm.example>"
    assert message_id_of("another", secret=SECRET, mail_domain="crm.example") != MESSAGE_ID
    assert message_id_of("7|welcome|fall 2027", secret=b"other", mail_domain="crm.example") != MESSAGE_ID


def test_a_bounce_names_the_message_that_it_is_about() -> None:
    address = envelope_sender_of(MESSAGE_ID, secret=SECRET, mail_domain="crm.example")
    assert len(address.partition("@")[0]) <= 64
    assert read_envelope_sender(address, secret=SECRET) == MESSAGE_ID
    assert read_envelope_sender(address.upper(), secret=SECRET) == MESSAGE_ID


def test_an_invented_bounce_is_not_believed() -> None:
    address = envelope_sender_of(MESSAGE_ID, secret=SECRET, mail_domain="crm.example")
    another = message_id_of("another", secret=SECRET, mail_domain="crm.example")
    forged = f"bounces+{another[1:33]}-{address.partition('-')[2]}"
    for wrong in (forged, "bounces@crm.example", "ana@example.org", address.replace("bounces", "x")):
        with pytest.raises(EnvelopeSenderInvalid):
            read_envelope_sender(wrong, secret=SECRET)
