"""What comes back: the bounce mailbox of the settings, and what is done with it."""

from pathlib import Path

from enrollment_crm.bootstrap.reading import as_long_as_unchanged
from enrollment_crm.domain.campaigns import BounceLimit
from enrollment_crm.settings import Settings
from enrollment_crm.sources.bounce_mailbox import BounceMailbox, MaildirMailbox
from enrollment_crm.sources.feedback_policy import FeedbackPolicy, read_feedback_policy
from enrollment_crm.sources.imap_mailbox import ImapMailbox, ImapOptions

_MAILDIR = "maildir:"


def bounce_mailbox_of(settings: Settings) -> BounceMailbox | None:
    """The mailbox that bounces come back to; None: the settings name none.

    Raises:
        MailboxRefusedError: its address cannot be one.
    """
    url = settings.bounce_mailbox_url
    if not url:
        return None
    if url.startswith(_MAILDIR):
        return MaildirMailbox(Path(url.removeprefix(_MAILDIR)))
    options = ImapOptions.of_url(
        url,
        password=settings.bounce_mailbox_password.get_secret_value(),
        timeout_in_seconds=settings.feed_timeout_in_seconds,
    )
    return ImapMailbox(options)


def bounce_limit_of(settings: Settings) -> BounceLimit:
    """How many messages of a kind may be refused for their address before it stops."""
    return BounceLimit(settings.bounce_stop_share, settings.bounce_stop_window)


def feedback_policy_of(settings: Settings) -> FeedbackPolicy:
    """What ``config/feedback.yml`` says."""
    return as_long_as_unchanged(read_feedback_policy, settings.home_directory / "config" / "feedback.yml")
