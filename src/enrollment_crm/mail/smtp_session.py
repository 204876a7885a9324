"""Opening a session with the relay: connected, introduced, secured and signed in, or an error that says what to do."""

import smtplib
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from enrollment_crm.mail.smtp_replies import Phase, Reply, refusal
from enrollment_crm.mail.tls import client_context
from enrollment_crm.mail.transport import RelayUnreachable, SenderRefused, TransportError


@dataclass(frozen=True, kw_only=True)
class SmtpOptions:
    """Where the relay is and how long to wait for it."""

    host: str
    port: int
    #: The name that we greet with: the domain that we send for, never looked up in DNS.
    helo_name: str
    username: str = ""
    password: str = field(default="", repr=False)
    #: The session turns to TLS before anything else is said; a relay that cannot is not used.
    starttls: bool = False
    #: TLS from the first byte (port 465).
    implicit_tls: bool = False
    #: Certificates of authorities that are trusted instead of the system's.
    ca_file: Path | None = None
    connect_timeout_in_seconds: float = 10
    command_timeout_in_seconds: float = 30
    #: End of data may take ten minutes (RFC 5321 4.5.3.2.6).
    data_timeout_in_seconds: float = 600


def opened_session(options: SmtpOptions) -> smtplib.SMTP:
    """A session that is ready for MAIL.

    Raises:
        TransportError: one of its subclasses: the relay is away, or something is ours to mend.
    """
    session = None
    try:
        session = _connected(options)
        wait_up_to(session, options.command_timeout_in_seconds)
        _introduce(session, options)
    except OSError as error:
        if session is not None:
            session.close()
        raise _as_transport_error(error, f"{options.host}:{options.port}") from error
    return session


def wait_up_to(session: smtplib.SMTP, seconds: float) -> None:
    """How long the next answer may take."""
    if session.sock is not None:
        session.sock.settimeout(seconds)


def _connected(options: SmtpOptions) -> smtplib.SMTP:
    where, timeout = (options.host, options.port, options.helo_name), options.connect_timeout_in_seconds
    if options.implicit_tls:
        return smtplib.SMTP_SSL(*where, timeout=timeout, context=client_context(options.ca_file))
    return smtplib.SMTP(*where, timeout)


def _introduce(session: smtplib.SMTP, options: SmtpOptions) -> None:
    session.ehlo_or_helo_if_needed()
    if options.starttls:
        session.starttls(context=client_context(options.ca_file))
        session.ehlo()
    if options.username:
        session.login(options.username, options.password)


def _as_transport_error(error: OSError, where: str) -> TransportError:
    """Which of our errors a failed opening is: the relay's absence, or something that we must mend."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return RelayUnreachable(f"{where} hung up while the session was opened: retry.")
    if isinstance(error, smtplib.SMTPResponseException):
        reply = Reply.of((error.smtp_code, _octets_of(error.smtp_error)))
        if reply.is_permanent:
            return refusal(reply, Phase.SESSION)
        return RelayUnreachable(f"{where} takes no session now: retry.", reply=str(reply))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return SenderRefused(f"{where} lacks what is asked of it ({error}): correct CRM_SMTP_STARTTLS or _USERNAME.")
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _no_tls(error, where)
    return RelayUnreachable(f"{where} cannot be reached ({type(error).__name__}): is it up, is CRM_SMTP_PORT right?")


def _no_tls(error: ssl.SSLError, where: str) -> SenderRefused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SenderRefused(
            f"The certificate of {where} is not valid ({error.verify_message}): see CRM_SMTP_HOST and CRM_SMTP_CA_FILE."
        )
    return SenderRefused(
        f"{where} and we find no common TLS ({error.reason}): it needs TLS 1.2 or newer, CRM_SMTP_IMPLICIT_TLS on "
        "port 465 and CRM_SMTP_STARTTLS on port 587."
    )


def _octets_of(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
