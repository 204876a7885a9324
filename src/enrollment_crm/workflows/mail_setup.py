"""What a look at the mail setup needs to know: who sends, from where, by whom, and what readers click on."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from enrollment_crm.domain.freshness import FeedWatch
from enrollment_crm.mail.accept_log import AcceptLog
from enrollment_crm.mail.dns import Dns
from enrollment_crm.mail.smtp_session import SmtpOptions


@dataclass(frozen=True, kw_only=True)
class MailSetup:
    """The mail setup of one installation; bootstrap builds it."""

    dns: Dns
    #: ``smtp``, ``provider`` or ``file``.
    transport: str
    is_production: bool
    #: The domain of the From line, and the one of the envelope sender.
    author_domain: str
    envelope_domain: str
    #: Empty: the selector is taken from the message that is checked.
    selector: str
    relay: SmtpOptions
    #: IP addresses that mail leaves from; empty: those of the relay.
    relay_addresses: tuple[str, ...]
    accept_log: AcceptLog | None
    #: A message as it left, with its signatures; None: there is none to look at.
    message: bytes | None
    secret: bytes
    postal_address: str
    sample_postal_address: str
    public_url: str
    #: Folders that other systems drop files into.
    drop_directory: Path
    engine: Engine | None
    freshness: FeedWatch
