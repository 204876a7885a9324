"""What sending needs: who writes, and the rest of the outbox."""

from datetime import timedelta

from sqlalchemy import Engine

from enrollment_crm.bootstrap.configuration import programs_of, templates_of
from enrollment_crm.bootstrap.feedback import bounce_limit_of
from enrollment_crm.bootstrap.feeds import feed_watch_of
from enrollment_crm.bootstrap.transports import transport_of
from enrollment_crm.mail.failpoints import Failpoint
from enrollment_crm.mail.messages import Sender
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.composition import Letterhead
from enrollment_crm.workflows.outbox import Outbox


def sender_of(settings: Settings) -> Sender:
    """Who writes."""
    return Sender(settings.sender_name, settings.sender_address, settings.reply_to_address, settings.mail_domain)


def outbox_of(settings: Settings, engine: Engine) -> Outbox:
    """Everything that sending needs; for one process and thread."""
    failpoint = Failpoint(settings.failpoint)
    return Outbox(
        engine=engine,
        programs=programs_of(settings),
        default_program=settings.default_program,
        templates=templates_of(settings),
        transport=transport_of(settings, failpoint=failpoint),
        sender=sender_of(settings),
        letterhead=Letterhead(settings.sender_name, settings.postal_address),
        secret=settings.secret_key.get_secret_value().encode(),
        public_url=settings.public_url,
        lease=timedelta(seconds=settings.lease_in_seconds),
        longest_dialogue=timedelta(seconds=settings.longest_dialogue_in_seconds),
        freshness=feed_watch_of(settings),
        messages_a_minute=settings.messages_a_minute,
        bounce_limit=bounce_limit_of(settings),
        failpoint=failpoint,
    )
