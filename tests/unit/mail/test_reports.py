"""What letters in the bounce mailbox are, and what is believed of them."""

import base64
import quopri
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.mail.letters import BACK_TO, MESSAGE_ID, NOW, SECRET, complaint, dsn, written

from enrollment_crm.domain.feedback import Feedback, FeedbackKind
from enrollment_crm.mail.reports import Reading, Verdict, read_letter

SAMPLES = Path(__file__).parent / "bounces"


def read(letter: bytes, *, secret: bytes = SECRET, now: datetime = NOW) -> Reading:
    return read_letter(letter, source="bounces", secret=secret, now=now)


def said(letter: bytes) -> Feedback:
    reading = read(letter)
    assert reading.verdict is Verdict.FEEDBACK
    assert reading.feedback is not None
    return reading.feedback


def test_a_failure_names_the_message_the_status_and_no_address() -> None:
    told = said(dsn())
    assert (told.kind, told.message_id, told.status) == (FeedbackKind.BOUNCED, MESSAGE_ID, "5.1.1")
    assert told.at == datetime(2026, 11, 24, 14, tzinfo=UTC)
    assert told.detail == "550 5.1.1 <<address>> unknown"


@pytest.mark.parametrize(
    "letter",
    [
        dsn(diagnostic="smtp; 550 5.1.1 no\0such\x1b[31m user"),
        complaint(feedback_type="opt-out\0\x1b[31m"),
    ],
)
def test_what_no_database_and_no_screen_take_is_not_kept(letter: bytes) -> None:
    assert said(letter).detail.isprintable()


@pytest.mark.parametrize(
    ("action", "status", "kind", "as_read"),
    [
        ("failed", "4.4.7", FeedbackKind.BOUNCED, "4.4.7"),
        ("Failed (permanently)", "5.2.1", FeedbackKind.BOUNCED, "5.2.1"),
        ("error", "5.1.1", FeedbackKind.BOUNCED, "5.1.1"),  # OpenSMTPD
        ("failed", "", FeedbackKind.BOUNCED, "5.1.1"),  # the diagnostic says it
        ("failed", "5.0.0", FeedbackKind.BOUNCED, "5.1.1"),
        ("failed", "5.7.1 (policy)", FeedbackKind.BOUNCED, "5.7.1"),
        ("delayed", "4.4.1", FeedbackKind.DELAYED, "4.4.1"),
        ("delivered", "2.0.0", FeedbackKind.DELIVERED, "2.0.0"),
    ],
)
def test_actions(action: str, status: str, kind: FeedbackKind, as_read: str) -> None:
    told = said(dsn(action=action, status=status))
    assert (told.kind, told.status) == (kind, as_read)


@pytest.mark.parametrize("action", ["relayed", "expanded"])
def test_what_says_nothing_of_the_end_is_nothing(action: str) -> None:
    assert read(dsn(action=action, status="2.0.0")).verdict is Verdict.NOTHING


def test_the_worst_of_several_recipients_is_what_is_said() -> None:
    more = "\r\nFinal-Recipient: rfc822; b@example.edu\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    assert said(dsn(action="delayed", status="4.4.1", more=more)).status == "5.1.1"


@pytest.mark.parametrize(
    "to",
    [
        "bounces@crm.example",
        "admissions@crm.example",
        BACK_TO.replace("bounces+0", "bounces+1"),  # another message's
        BACK_TO.replace("@", "0@"),
        f"bounces+{'0' * 32}-{'0' * 16}@crm.example",
        "",
    ],
)
def test_a_report_that_nothing_of_ours_vouches_for_is_not_believed(to: str) -> None:
    assert read(dsn(to=to)) == Reading(Verdict.FORGED)


def test_another_secret_is_another_sender() -> None:
    assert read(dsn(), secret=b"another").verdict is Verdict.FORGED


def test_servers_that_change_the_case_of_the_address_are_believed() -> None:
    assert said(dsn(to=BACK_TO.upper())).message_id == MESSAGE_ID
    returned = f"Message-ID: {MESSAGE_ID.upper()}\r\n"
    assert said(complaint(mail_from="other@crm.example", returned=returned)).message_id == MESSAGE_ID


def test_an_address_at_the_end_of_a_sentence_is_the_same() -> None:
    assert said(dsn(to=f"{BACK_TO}.")).message_id == MESSAGE_ID


@pytest.mark.parametrize("header", ["X-Original-To", "Envelope-To", "X-Envelope-To", "To"])
def test_the_envelope_recipient_is_found_where_mail_systems_write_it(header: str) -> None:
    letter = dsn(to="nobody@crm.example").replace(b"From:", f"{header}: <{BACK_TO}>\r\nFrom:".encode(), 1)
    assert said(letter).message_id == MESSAGE_ID


def test_nothing_happened_later_than_it_was_read() -> None:
    assert said(dsn(date="Fri, 24 Nov 2034 14:00:00 +0000")).at == NOW
    assert said(dsn(date="nonsense")).at == NOW
    assert said(dsn(date="Tue, 24 Nov 2026 14:00:00")).at == NOW  # without a zone


def test_the_same_report_has_one_name_however_often_it_is_delivered() -> None:
    again = b"Received: from elsewhere\r\n" + dsn()
    assert said(again).fact_id == said(dsn()).fact_id
    assert said(dsn(message_id="<report-2@mx.example.edu>")).fact_id != said(dsn()).fact_id
    assert said(dsn(message_id="")).fact_id != said(dsn(message_id="", status="5.2.1")).fact_id


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_status_part_that_was_encoded_in_transit(encoding: str) -> None:

    block = (
        b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@example.edu\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    )
    coded = base64.encodebytes(block) if encoding == "base64" else quopri.encodestring(block, quotetabs=True)
    letter = (
        (
            f"Return-Path: <>\r\nTo: {BACK_TO}\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
            f"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        ).encode()
        + coded
        + b"\r\n--b--\r\n"
    )
    assert said(letter).status == "5.1.1"


# ---- Complaints


def test_a_complaint_is_believed_by_the_address_that_the_message_came_from() -> None:
    told = said(complaint(returned=""))
    assert (told.kind, told.message_id, told.detail) == (FeedbackKind.COMPLAINED, MESSAGE_ID, "abuse")


def test_a_complaint_is_believed_by_the_message_that_it_returns() -> None:
    assert said(complaint(mail_from="x@example.edu")).message_id == MESSAGE_ID


def test_a_complaint_about_nothing_of_ours_is_not_believed() -> None:
    assert read(complaint(mail_from="x@example.edu", returned="")).verdict is Verdict.FORGED


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("opt-out", FeedbackKind.OPTED_OUT), ("opt-out-list", FeedbackKind.OPTED_OUT), ("FRAUD", FeedbackKind.COMPLAINED)],
)
def test_other_kinds_of_complaints(kind: str, expected: FeedbackKind) -> None:
    assert said(complaint(feedback_type=kind)).kind is expected


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "dmarc", ""])
def test_reports_that_are_no_complaints(kind: str) -> None:
    assert read(complaint(feedback_type=kind)).verdict is Verdict.NOTHING


# ---- Answers of machines and people


@pytest.mark.parametrize(
    "letter",
    [
        written(headers="Auto-Submitted: auto-replied\r\n"),
        written(headers="Auto-Submitted: auto-generated; owner-email=x\r\n"),
        # A date and a room, no status codes.
        written(headers="Auto-Submitted: auto-replied\r\n", text="I am back on 5.1.27 in room 5.1.1."),
        written(headers="X-Auto-Response-Suppress: All\r\n"),
        written(headers="X-Autoreply: yes\r\n"),
        written(headers="Precedence: auto_reply\r\n"),
        written(headers="Precedence: bulk\r\n"),
        written(headers="List-Id: <x.example.edu>\r\n"),
        written(subject="Out of Office: Re: Your deadline"),
        written(subject="Automatic reply: Your deadline"),
        written(subject="=?utf-8?b?6Ieq5Yqo5Zue5aSNOiDkvaDlpb0=?="),
        written().replace(b"Return-Path: <ana@example.edu>", b"Return-Path: <>"),
    ],
)
def test_answering_machines(letter: bytes) -> None:
    assert read(letter).verdict is Verdict.AUTOMATIC


@pytest.mark.parametrize(
    "letter",
    [
        written(),
        written(headers="Auto-Submitted: no\r\n"),
        # They quote a bounce; it is a person all the same.
        written(text="I got this:\r\n550 5.1.1 <ana@example.edu> User unknown\r\nWhat shall I do?"),
        written(text="This is the mail system. The following addresses had permanent fatal errors: a@example.edu"),
    ],
)
def test_people(letter: bytes) -> None:
    assert read(letter).verdict is Verdict.REPLY


# ---- As mail systems write them


def real(name: str) -> bytes:
    letter = (SAMPLES / f"{name}.txt").read_bytes()
    return b"Return-Path: <>\nDelivered-To: " + BACK_TO.encode() + b"\n" + letter


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("dsn_14", FeedbackKind.BOUNCED, "5.1.1"),
        ("dsn_07", FeedbackKind.DELAYED, "4.4.1"),
        ("qmail_03", FeedbackKind.BOUNCED, "5.1.1"),
        ("exim_01", FeedbackKind.BOUNCED, "5.1.1"),
        ("microsoft_01", FeedbackKind.BOUNCED, "5.0.0"),  # Exchange gives a sentence and no code
        ("yahoo_13", FeedbackKind.BOUNCED, "5.1.1"),
        ("simple_22", FeedbackKind.DELAYED, "4.0.0"),
        ("groupwise_02", FeedbackKind.BOUNCED, "5.0.0"),  # 2.0.12 is Mailman's version
        ("simple_42", FeedbackKind.BOUNCED, "5.7.1"),  # Gmail
    ],
)
def test_bounces_as_mail_systems_write_them(name: str, kind: FeedbackKind, status: str) -> None:
    told = said(real(name))
    assert (told.kind, told.status) == (kind, status)
    assert "@" not in told.detail


def test_the_clock_is_an_argument_with_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        read(dsn(), now=NOW.replace(tzinfo=None))
