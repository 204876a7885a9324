"""What SMTP asks of a message's bytes: their size, the ends of their lines, and their dots."""

import smtplib

from enrollment_crm.mail.transport import SenderRefused


def declared_size(session: smtplib.SMTP, size: int) -> str:
    """The size of the message for a relay that asks for it (RFC 1870), so that it refuses before the content leaves."""
    if not session.has_extn("size"):
        return ""
    limit = session.esmtp_features["size"].strip()
    if limit.isdecimal() and 0 < int(limit) < size:
        raise SenderRefused(
            f"The message has {size} octets and the relay takes {limit}: raise its limit, or make the message smaller."
        )
    return f" SIZE={size}"


def check_lines(content: bytes) -> None:
    """A lone CR or LF, or a missing last line end, means a second message to some servers (SMTP smuggling)."""
    pairs = content.count(b"\r\n")
    if content.count(b"\n") != pairs or content.count(b"\r") != pairs or not content.endswith(b"\r\n"):
        raise SenderRefused("The message has a line that does not end in CR LF: mend what wrote it. Nothing was sent.")


def framed(content: bytes) -> bytes:
    """The content as DATA wants it: leading dots doubled, and the lone dot at the end (RFC 5321 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if content.startswith(b".") else b"") + stuffed + b".\r\n"
