"""What an SMTP reply that is not a yes means for us: try later, the address, or ourselves.

| reply | to RCPT | to MAIL, DATA, the content, sign-in |
|---|---|---|
| 4xx | TemporarilyRefused | TemporarilyRefused |
| 5.1.x, 5.2.x, 5.4.x | AddressRefused (5.1.7 and 5.1.8 speak of the sender) | AddressRefused |
| 5.5.0 | AddressRefused (some servers write it for "no such mailbox") | SenderRefused |
| 5.3.x, 5.5.x, 5.6.x, 5.7.x | SenderRefused | SenderRefused |
| 5xx without an enhanced code | AddressRefused for 521, 550 to 553 and 556 | SenderRefused |
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from enrollment_crm.mail.transport import AddressRefused, SenderRefused, TemporarilyRefused, TransportError

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
#: Whatever looks like an address; a server may name another one than we gave it.
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
#: Replies are stored and shown: PostgreSQL stores no NUL, and an escape would be the terminal's.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_PERMANENT = 500
_ADDRESS_SUBJECTS = ("1", "2", "4")
_ABOUT_THE_SENDER = ("5.1.7", "5.1.8")
_ADDRESS_CODES = frozenset({521, 550, 551, 552, 553, 556})


class Phase(StrEnum):
    """Where in the dialogue a reply came."""

    #: Greeting, EHLO, STARTTLS or AUTH.
    SESSION = "session"
    #: MAIL FROM: the sender.
    MAIL = "MAIL"
    #: RCPT TO: the one recipient.
    RCPT = "RCPT"
    #: The DATA command, before any content.
    DATA = "DATA"
    #: After the content.
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server: its code and its text on one line."""

    code: int
    text: str

    @classmethod
    def of(cls, reply: tuple[int, bytes], *, without: str = "") -> Self:
        """Read what smtplib returns; addresses and the recipient's name in it are taken out: replies are stored."""
        text = " ".join(_CONTROL.sub(" ", reply[1].decode("utf-8", "replace")).split())
        folded, local_part = text.casefold(), without.rpartition("@")[0]
        # Most replies name nobody: looking is cheaper than a pattern that was made for one address.
        for person in filter(None, (without, local_part)):
            if person.casefold() in folded:
                text = re.sub(rf"(?<!\w){re.escape(person)}(?!\w)", "<recipient>", text, flags=re.IGNORECASE)
        return cls(reply[0], _ADDRESS.sub("<address>", text) if "@" in text else text)

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()

    @property
    def is_permanent(self) -> bool:
        """Whether the same command would be refused again (5xx)."""
        return self.code >= _PERMANENT

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463) of the reply, such as ``5.1.1``; empty when it has none."""
        match = _ENHANCED.match(self.text)
        return match[0] if match else ""


def refusal(reply: Reply, phase: Phase) -> TransportError:
    """The error that a reply stands for, by the table at the top of this module."""
    if not reply.is_permanent:
        return TemporarilyRefused(f"The server asks to try later (at {phase}).", reply=str(reply))
    if _is_about_the_address(reply, phase):
        return AddressRefused(f"The server refuses the recipient's address (at {phase}).", reply=str(reply))
    sentence = f"The server refuses us, not the recipient (at {phase}): stop sending and mend the cause."
    return SenderRefused(sentence, reply=str(reply))


def _is_about_the_address(reply: Reply, phase: Phase) -> bool:
    enhanced = reply.enhanced
    if not enhanced:
        return phase is Phase.RCPT and reply.code in _ADDRESS_CODES
    if phase in (Phase.SESSION, Phase.MAIL) or enhanced in _ABOUT_THE_SENDER:
        return False
    return enhanced.split(".")[1] in _ADDRESS_SUBJECTS or (phase is Phase.RCPT and enhanced == "5.5.0")
