"""A frozen message as the JSON that a provider of the Resend shape takes (``POST /emails``).

The translation is a pure function of the frozen bytes: a retry sends the very same JSON, which the provider compares
with what it knows under the idempotency key. The reader gets the same subject, texts, headers and calendar file; the
MIME around them is the provider's.
"""

import base64
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from enrollment_crm.mail.messages import OutgoingMessage

#: The tag by which a message names itself in the provider's events.
MESSAGE_TAG = "message"
#: What the provider puts into fields of its own, or makes itself.
_NOT_PASSED_ON = frozenset(
    {"from", "to", "reply-to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding"}
)
_PARSER = BytesParser(policy=policy.SMTP)


def request_of(message: OutgoingMessage) -> dict[str, Any]:
    """The body of the request. The recipient's address goes along, the name stays here."""
    parsed = _PARSER.parsebytes(message.content)
    headers = {name: str(value) for name, value in parsed.items() if name.lower() not in _NOT_PASSED_ON}
    body: dict[str, Any] = {
        "from": str(parsed["From"]),
        "to": [message.envelope_recipient],
        "subject": str(parsed["Subject"]),
        "headers": headers,
        # Comes back in the provider's webhook: bounces there name no envelope sender.
        "tags": [{"name": MESSAGE_TAG, "value": identity_of(message.message_id)}],
    }
    if parsed["Reply-To"]:
        body["reply_to"] = str(parsed["Reply-To"])
    return body | _contents(parsed)


def identity_of(message_id: str) -> str:
    """What stands before the @ of a Message-ID: letters, digits, hyphens, as a tag may hold."""
    return message_id.strip("<>").partition("@")[0].replace(".", "-")


def _contents(parsed: EmailMessage) -> dict[str, Any]:
    contents: dict[str, Any] = {}
    for part in parsed.walk():
        match part.get_content_type():
            case "text/plain":
                contents["text"] = part.get_content().replace("\r\n", "\n")
            case "text/html":
                contents["html"] = part.get_content().replace("\r\n", "\n")
            case "text/calendar":
                contents["attachments"] = [_attachment(part)]
    return contents


def _attachment(part: EmailMessage) -> dict[str, str]:
    octets = part.get_payload(decode=True)
    content = base64.b64encode(octets if isinstance(octets, bytes) else b"").decode()
    content_type = f"text/calendar; method={part.get_param('method')}; charset=utf-8"
    return {"filename": "session.ics", "content": content, "content_type": content_type}
