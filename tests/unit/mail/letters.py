"""Letters as they come to the bounce mailbox."""

from datetime import UTC, datetime

from enrollment_crm.mail.messages import envelope_sender_of

SECRET = b"a secret of the tests"
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
MESSAGE_ID = f"<{'0123456789abcdef' * 2}@crm.example>"
BACK_TO = envelope_sender_of(MESSAGE_ID, secret=SECRET, mail_domain="crm.example")


def dsn(
    *,
    to: str = BACK_TO,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <ana@example.edu> unknown",
    message_id: str = "<report-1@mx.example.edu>",
    date: str = "Tue, 24 Nov 2026 14:00:00 +0000",
    more: str = "",
) -> bytes:
    """A delivery report by the book (RFC 3464)."""
    return (
        f"Return-Path: <>\r\nDelivered-To: {to}\r\nFrom: MAILER-DAEMON@mx.example.edu\r\nTo: {to}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {date}\r\nMessage-ID: {message_id}\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.edu\r\n\r\n"
        f"Final-Recipient: rfc822; ana@example.edu\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {diagnostic}\r\n{more}"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Your deadline\r\n\r\nHello\r\n--b--\r\n"
    ).encode()


def complaint(
    *,
    feedback_type: str = "abuse",
    mail_from: str = BACK_TO,
    returned: str = f"Message-ID: {MESSAGE_ID}\r\n",
    message_id: str = "<arf-1@isp.example>",
) -> bytes:
    """A feedback report by the book (RFC 5965)."""
    return (
        "Return-Path: <fbl@isp.example>\r\nFrom: fbl@isp.example\r\nTo: abuse@crm.example\r\n"
        f"Date: Tue, 24 Nov 2026 14:00:00 +0000\r\nMessage-ID: {message_id}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {feedback_type}\r\n"
        f"User-Agent: SomeISP/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <{mail_from}>\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{returned}Subject: Your deadline\r\n\r\nHello\r\n--b--\r\n"
    ).encode()


def written(
    *, subject: str = "Re: Your deadline", headers: str = "", to: str = BACK_TO, text: str = "Thanks!"
) -> bytes:
    """What a person writes, or an answering machine."""
    return (
        f"Return-Path: <ana@example.edu>\r\nDelivered-To: {to}\r\nFrom: Ana <ana@example.edu>\r\nTo: {to}\r\n"
        f"Subject: {subject}\r\n{headers}Message-ID: <answer-1@example.edu>\r\n\r\n{text}\r\n"
    ).encode()
