"""What it means to hand a message over, and every way in which that can end.

``Transport`` is a Protocol because it has several implementations: SMTP, a provider's HTTP API, files of this machine,
and the recording one of rehearsals.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from enrollment_crm.mail.messages import OutgoingMessage


class Transport(Protocol):
    """Takes one message at a time; belongs to one worker, and is not safe to share between threads."""

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Hand one message over and return the server's reply that accepted it.

        ``before_data`` is called once, immediately before DATA. It may raise to abandon the message: then
        nothing was sent, and its exception comes out of here unchanged.

        Raises:
            TransportError: one of its subclasses, which say whether a retry helps.
        """

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        """Whether the message is known to have been accepted; None: it cannot be told.

        False means that handing it over once more makes no second copy. No copy left before ``since``; None: nobody
        knows, and what depends on it cannot be told.
        """

    def close(self) -> None:
        """Say goodbye to the server. The transport may be used again afterwards."""


class TransportError(Exception):
    """A message was not known to be accepted. Subclasses say what to do; ``reply`` holds no address."""

    def __init__(self, sentence: str, *, reply: str = "") -> None:
        super().__init__(f"{sentence} The server said: {reply}" if reply else sentence)
        #: What the server said, without the recipient's address; empty when it said nothing.
        self.reply = reply


class RelayUnreachable(TransportError):
    """No session, or it broke before any of the content had left. Nothing was sent: retry freely."""


class TemporarilyRefused(TransportError):
    """The server said 4xx to this message. Nothing was accepted: retry later, with growing pauses."""


class AddressRefused(TransportError):
    """The server refuses this address for good (5.1.1 and the like). A retry does not help; others go on."""


class InternationalAddressRefused(AddressRefused):
    """The address has non-ASCII letters before the @ and the relay does not offer SMTPUTF8.

    The address may be good: ask for another one, or send through a relay that knows RFC 6531; it is no bounce.
    """


class RecipientNotAllowed(AddressRefused):
    """CRM_ALLOWED_RECIPIENT_DOMAINS does not list the recipient's domain: nothing was sent, nobody was asked.

    Outside production that is the rule: list the domains of your test mailboxes. It is no bounce.
    """


class SenderRefused(TransportError):
    """The server refuses us: policy, sign-in, sender, content or configuration (5.7.x and the like).

    Stop the campaign and mend the cause. Suppress nobody: the recipients are not concerned.
    """


class OutcomeUnknown(TransportError):
    """The connection was lost after content had begun to leave: it may or may not have been accepted.

    Never simply retry: ask ``was_accepted`` first.
    """
