"""The parts of reports that machines read: message/delivery-status (RFC 3464), message/feedback-report (RFC 5965)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from enrollment_crm.domain.bounces import BounceClass, class_of_bounce, enhanced_status, failure_status

_LONGEST_WORDS = 300
_LONGEST_TEXT = 16_384
#: Whatever looks like an address: words are stored, and belong to nobody.
_ADDRESS = re.compile(r"[^\s<>;,:\"']+@[^\s<>;,\"']+")
#: Control characters and halves of characters. PostgreSQL stores no NUL, and an escape would be the terminal's.
_NO_WORDS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FEEDBACK_PART = "message/feedback-report"
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"})
#: What is read of a message that a report returns: the headers that can name it.
_NAMING = ("Return-Path", "Message-ID", "X-Original-Message-ID", "Original-Mail-From", "Original-Envelope-Id")
#: The worst that is said of any recipient is what is said of the message: each of ours has one.
_RANK = ("failed", "delayed", "delivered", "relayed", "expanded")


@dataclass(frozen=True)
class DeliveryReport:
    """What a delivery report says of the one recipient that each message of ours has."""

    #: ``failed``, ``delayed``, ``delivered``, ``relayed`` or ``expanded``.
    action: str
    #: Enhanced status code; ``4.0.0`` or ``5.0.0`` where none is given.
    status: str
    #: The diagnostic, without addresses.
    words: str


def without_addresses(text: str) -> str:
    """The text on one line, shortened, with every address taken out, and all that neither database nor screen take."""
    return _ADDRESS.sub("<address>", " ".join(_NO_WORDS.sub(" ", text).split()))[:_LONGEST_WORDS]


def text_of(part: Message) -> str:
    """The text of a part whatever its encoding and charset claim; at most a screenful or two."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return payload[:_LONGEST_TEXT].decode("utf-8", "replace").replace("\0", "")


def delivery_report(letter: Message) -> DeliveryReport | None:
    """What the letter reports of a delivery; None: it is no delivery report."""
    found = [report for part in letter.walk() if _type_of(part) in _STATUS_PARTS for report in _reports_of(part)]
    return min(found, key=_severity, default=None)


def _severity(report: DeliveryReport) -> tuple[int, int]:
    is_hard = class_of_bounce(report.status) is BounceClass.HARD
    return _RANK.index(report.action), 0 if is_hard else 1


def _reports_of(part: Message) -> Iterator[DeliveryReport]:
    for block in _blocks_of(part):
        action = str(block.get("Action", "")).lower().strip()
        # OpenSMTPD writes `error`, others a comment behind the word.
        known = (
            "failed"
            if action.startswith(("fail", "error"))
            else next((name for name in _RANK if action.startswith(name)), None)
        )
        if known is None:
            continue
        words = _diagnostic_of(block)
        yield DeliveryReport(known, _status_of(block, known, words), without_addresses(words))


def _diagnostic_of(block: Message) -> str:
    # `smtp; 550 5.1.1 ...`: the type says how to read it, and nobody needs that.
    return re.sub(r"^\s*[\w-]+\s*;\s*", "", str(block.get("Diagnostic-Code", "")))


def _status_of(block: Message, action: str, words: str) -> str:
    """The status; where it is a mere ``5.0.0``, the code in the diagnostic says more. Exchange and qmail do so."""
    stated = enhanced_status(str(block.get("Status", "")))
    if action == "failed":
        if stated is None or stated.endswith(".0.0"):
            stated = failure_status(words) or stated
        return stated or "5.0.0"
    return stated or ("4.0.0" if action == "delayed" else "")


def _blocks_of(part: Message) -> Iterator[Message]:
    """The blocks of headers in a status part, as the parser divides them; or, encoded in transit, divided here."""
    payload = part.get_payload()
    blocks = list(_messages_in(payload))
    is_encoded = str(part.get("Content-Transfer-Encoding", "")).strip().lower() in {"base64", "quoted-printable"}
    if not is_encoded and any(block.get("Action") is not None for block in blocks):
        yield from blocks
        return
    encoded = _decoded(part, blocks)
    for block in re.split(r"\r?\n[ \t]*\r?\n", encoded):
        yield HeaderParser().parsestr(block.strip())


def _decoded(part: Message, blocks: list[Message]) -> str:
    """A status part in base64 or quoted-printable: RFC 2046 forbids it, mail systems do it."""
    inner = "\n".join(map(_as_text, blocks)) if blocks else str(part.get_payload())
    carrier = Message()
    carrier["Content-Transfer-Encoding"] = str(part.get("Content-Transfer-Encoding", "7bit"))
    carrier.set_payload(inner)
    return text_of(carrier)


def _as_text(block: Message) -> str:
    return "".join(f"{name}: {value}\n" for name, value in block.items()) + f"\n{block.get_payload()}"


def feedback_type(letter: Message) -> str | None:
    """The kind of complaint (``abuse``, ``opt-out`` ...) of a feedback report; None: the letter is none."""
    for part in letter.walk():
        if _type_of(part) == _FEEDBACK_PART:
            for block in _feedback_blocks(part):
                found = block.get("Feedback-Type")
                if found is not None:
                    return str(found).strip().lower()
    return None


def _feedback_blocks(part: Message) -> Iterator[Message]:
    yield part
    payload = part.get_payload()
    yield from _messages_in(payload)
    yield HeaderParser().parsestr(_decoded(part, list(_messages_in(payload))).strip())


def _messages_in(payload: object) -> Iterator[Message]:
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def returned_headers(letter: Message) -> list[str]:
    """What can name the message that a report returns: its own headers, and what the report says of its envelope."""
    values: list[str] = []
    for part in letter.walk():
        if _type_of(part) == _FEEDBACK_PART:
            sources: list[Message] = list(_feedback_blocks(part))
        elif _type_of(part) in _RETURNED:
            sources = [*_messages_in(part.get_payload()), HeaderParser().parsestr(text_of(part).lstrip())]
        else:
            continue
        values += [str(value) for one in sources for name in _NAMING for value in one.get_all(name) or []]
    return values


def _type_of(part: Message) -> str:
    return part.get_content_type()
