"""How messages are handed over, by the settings: the transport, the relay's accept log, and who may be written to."""

from enrollment_crm.bootstrap.clock import clock_of
from enrollment_crm.mail.accept_log import AcceptLog, MaildirAcceptLog
from enrollment_crm.mail.allowed_recipients import EVERY_DOMAIN, AllowedRecipients, GuardedTransport
from enrollment_crm.mail.failpoints import OFF, Failpoint
from enrollment_crm.mail.file_transport import FileTransport
from enrollment_crm.mail.postfix_log import PostfixAcceptLog
from enrollment_crm.mail.provider import ProviderOptions, ProviderTransport
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.mail.transport import Transport
from enrollment_crm.settings import Settings


def transport_of(settings: Settings, *, failpoint: Failpoint = OFF) -> Transport:
    """What CRM_TRANSPORT names. What can reach an inbox is guarded by the list of domains."""
    match settings.transport:
        case "file" if settings.mail_directory is not None:
            return FileTransport(settings.mail_directory)
        case "provider":
            return GuardedTransport(
                ProviderTransport(_provider_options(settings), clock=clock_of(settings)),
                allowed_recipients_of(settings),
            )
        case _:
            smtp = SmtpTransport(smtp_options_of(settings), accept_log=accept_log_of(settings), failpoint=failpoint)
            return GuardedTransport(smtp, allowed_recipients_of(settings))


def allowed_recipients_of(settings: Settings) -> AllowedRecipients:
    """Who may be written to: what is listed, or everybody in production; operations always.

    Raises:
        ValueError: CRM_ALLOWED_RECIPIENT_DOMAINS holds what is no domain.
    """
    listed = settings.allowed_recipient_domains
    if not listed and settings.environment == "production":
        listed = EVERY_DOMAIN
    return AllowedRecipients.listed(listed, addresses=settings.operations_address)


def accept_log_of(settings: Settings) -> AcceptLog | None:
    """The relay's memory: Postfix's log, or a Maildir; None: the relay keeps none that we can read."""
    if settings.accept_log_file is not None:
        return PostfixAcceptLog(settings.accept_log_file)
    if settings.accept_log_directory is not None:
        return MaildirAcceptLog(settings.accept_log_directory)
    return None


def smtp_options_of(settings: Settings) -> SmtpOptions:
    """Where the relay is and how long to wait for it."""
    return SmtpOptions(
        host=settings.smtp_host,
        port=settings.smtp_port,
        helo_name=settings.mail_domain,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        starttls=settings.smtp_starttls,
        implicit_tls=settings.smtp_implicit_tls,
        ca_file=settings.smtp_ca_file,
        connect_timeout_in_seconds=settings.smtp_connect_timeout_in_seconds,
        command_timeout_in_seconds=settings.smtp_command_timeout_in_seconds,
        data_timeout_in_seconds=settings.smtp_data_timeout_in_seconds,
    )


def _provider_options(settings: Settings) -> ProviderOptions:
    return ProviderOptions(
        url=settings.provider_url,
        key=settings.provider_key.get_secret_value(),
        connect_timeout_in_seconds=settings.smtp_connect_timeout_in_seconds,
        timeout_in_seconds=settings.provider_timeout_in_seconds,
    )
