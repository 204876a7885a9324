"""What `check-setup` looks at, by the settings."""

from pathlib import Path

from sqlalchemy import Engine

from enrollment_crm.bootstrap.feeds import feed_watch_of
from enrollment_crm.bootstrap.transports import accept_log_of, smtp_options_of
from enrollment_crm.mail.addresses import mailbox_of
from enrollment_crm.mail.dns import Dns
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.mail_setup import MailSetup


def mail_setup_of(settings: Settings, engine: Engine | None, *, dns: Dns, message: bytes | None = None) -> MailSetup:
    """The mail setup of these settings; without a message, the newest of the accept log is looked at.

    Raises:
        AddressInvalid: CRM_SENDER_ADDRESS is none.
    """
    return MailSetup(
        dns=dns,
        transport=settings.transport,
        is_production=settings.environment == "production",
        author_domain=mailbox_of(settings.sender_address).spec.rpartition("@")[2].lower(),
        envelope_domain=settings.mail_domain.lower(),
        selector=settings.dkim_selector,
        relay=smtp_options_of(settings),
        relay_addresses=tuple(filter(None, (one.strip() for one in settings.relay_addresses.split(",")))),
        accept_log=accept_log_of(settings),
        message=message if message is not None else _newest(settings.accept_log_directory),
        secret=settings.secret_key.get_secret_value().encode(),
        postal_address=settings.postal_address,
        sample_postal_address=str(Settings.model_fields["postal_address"].default),
        public_url=settings.public_url,
        drop_directory=settings.drop_directory,
        engine=engine,
        freshness=feed_watch_of(settings),
    )


def _newest(maildir: Path | None) -> bytes | None:
    """The message that the relay kept last; None: it keeps none."""
    if maildir is None:
        return None
    files = [file for folder in ("new", "cur") for file in (maildir / folder).glob("*") if file.is_file()]
    newest = max(files, key=lambda file: file.stat().st_mtime, default=None)
    return newest.read_bytes() if newest else None
