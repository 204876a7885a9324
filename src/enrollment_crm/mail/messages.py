"""From a rendered email to the frozen bytes of one message to one person.

The bytes are a pure function of the arguments: a retry sends the very same ones under the same Message-ID.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from enrollment_crm.mail.addresses import mailbox_of
from enrollment_crm.mail.bodies import CalendarFile, calendar_part, html_part, text_part
from enrollment_crm.mail.headers import HeaderRefused, address_header, text_header, token_header
from enrollment_crm.mail.signing import sign, signature_holds
from enrollment_crm.mail.templates import RenderedEmail

_MESSAGE_ID_LENGTH_IN_BYTES = 16
_VERP_LENGTH_IN_BYTES = 8
_VERP = re.compile(r"bounces\+([0-9a-f]{32})-([0-9a-f]{16})@(.+)", re.IGNORECASE)


class EnvelopeSenderInvalid(ValueError):
    """A bounce came back to an address that we never sent from: do not believe it, suppress nobody."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to; the name may be empty, the address is written to as given."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, where answers go, and the domain that signs (Message-IDs, envelope senders)."""

    name: str
    address: str
    reply_to: str
    mail_domain: str


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one person, ready for a transport: the envelope and the bytes, which never change again."""

    envelope_sender: str
    envelope_recipient: str
    message_id: str
    content: bytes
    #: The recipient's local part is not ASCII: only a relay that offers SMTPUTF8 can take it.
    requires_smtputf8: bool


def message_id_of(key: str, *, secret: bytes, mail_domain: str) -> str:
    """The Message-ID that belongs to a ledger key for ever, so that a second copy is recognised as one."""
    return f"<{sign('message-id', key, secret=secret, length_in_bytes=_MESSAGE_ID_LENGTH_IN_BYTES)}@{mail_domain}>"


def envelope_sender_of(message_id: str, *, secret: bytes, mail_domain: str) -> str:
    """The address that bounces of one message come back to (VERP), signed so that nobody can invent a bounce."""
    identity = message_id.strip("<>").partition("@")[0]
    return f"bounces+{identity}-{_verp_signature(identity, secret)}@{mail_domain}"


def read_envelope_sender(address: str, *, secret: bytes) -> str:
    """The Message-ID that a bounce to this address is about.

    Raises:
        EnvelopeSenderInvalid: the address is not ours or the signature does not hold.
    """
    match = _VERP.fullmatch(address)
    if match is None or not signature_holds(match[2], _verp_signature(match[1].lower(), secret)):
        raise EnvelopeSenderInvalid("This bounce address was not made by us: do not believe the bounce.")
    # Domains have no case: what a server has written in capitals is the same message.
    return f"<{match[1]}@{match[3]}>".lower()


def _verp_signature(identity: str, secret: bytes) -> str:
    return sign("envelope-sender", identity, secret=secret, length_in_bytes=_VERP_LENGTH_IN_BYTES)


def build_message(
    rendered: RenderedEmail,
    *,
    recipient: Recipient,
    sender: Sender,
    message_id: str,
    envelope_sender: str,
    feedback_id: str,
    unsubscribe_url: str | None,
    now: datetime,
    calendar: CalendarFile | None = None,
) -> OutgoingMessage:
    """The message that carries a rendered email, and perhaps a calendar file, to one person; ``now`` is its Date.

    Raises:
        AddressInvalid: no mail can be sent to the recipient's address.
        HeaderRefused: a value would break out of its header.
        ContentRefused: a body cannot be encoded.
        ValueError: ``now`` has no zone, or a marketing mail has no way out (or another mail has one).
    """
    if now.tzinfo is None:
        raise ValueError("`now` has no zone: pass an aware datetime.")
    to = mailbox_of(recipient.address)
    content = b"".join(
        [
            address_header("From", sender.name, mailbox_of(sender.address).spec),
            address_header("To", recipient.name, to.spec),
            address_header("Reply-To", "", mailbox_of(sender.reply_to).spec),
            text_header("Subject", rendered.subject),
            token_header("Date", format_datetime(now)),
            token_header("Message-ID", message_id),
            b"Auto-Submitted: auto-generated\r\n",
            token_header("Feedback-ID", feedback_id),
            _way_out(rendered.purpose, unsubscribe_url),
            b"MIME-Version: 1.0\r\n",
            _alternatives(rendered, calendar, message_id),
        ]
    )
    return OutgoingMessage(envelope_sender, to.spec, message_id, content, to.requires_smtputf8)


def _alternatives(rendered: RenderedEmail, calendar: CalendarFile | None, message_id: str) -> bytes:
    """The same message in two or three forms, the plainest first (RFC 2046)."""
    parts = [text_part(rendered.text), html_part(rendered.html)]
    if calendar:
        parts.append(calendar_part(calendar))
    # Nobody can know it beforehand and write it into a body: the Message-ID is an HMAC.
    boundary = f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"
    head = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'
    between = f"\r\n--{boundary}\r\n".encode()
    return head.encode() + between.join(parts) + f"\r\n--{boundary}--\r\n".encode()


def _way_out(purpose: str, unsubscribe_url: str | None) -> bytes:
    """One-click unsubscribe (RFC 8058): on marketing mail, and on no other."""
    if (purpose == "marketing") != bool(unsubscribe_url):
        raise ValueError("Pass an unsubscribe URL with marketing mail, and with no other.")
    if not unsubscribe_url:
        return b""
    if any(character in unsubscribe_url for character in " <>,"):
        raise HeaderRefused("List-Unsubscribe must be one URI without spaces, commas or brackets: encode it.")
    uri = token_header("List-Unsubscribe", f"<{unsubscribe_url}>")
    return uri + b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
