"""SMTP with a session that is kept open, a timeout for each phase, and no guess about what happened."""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from enrollment_crm.mail.accept_log import AcceptLog
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.smtp_replies import Phase, Reply, refusal
from enrollment_crm.mail.tls import client_context
from enrollment_crm.mail.transport import (
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TransportError,
)

_OK = 250
_GO_AHEAD = 354
_CLOSING = 421
_SUCCESS = range(200, 300)
#: A connection that breaks shows in one of these: smtplib's own errors are OSErrors too.
_BROKEN = OSError


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


class SmtpTransport:
    """A Transport over one SMTP session, opened when first needed and reused until it breaks."""

    def __init__(self, options: SmtpOptions, *, accept_log: AcceptLog | None = None) -> None:
        self._options = options
        self._accept_log = accept_log
        self._session: smtplib.SMTP | None = None

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Hand one message over; see `Transport.send`."""
        _check_lines(message.content)
        session = self._announce(message)
        try:
            before_data()
        except BaseException:
            self._reset()
            raise
        return self._transfer(session, message)

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:
        """Ask the relay's accept log; None without one."""
        return None if self._accept_log is None else self._accept_log.was_accepted(message_id, since=since)

    def close(self) -> None:
        """Say QUIT. What was accepted stays accepted, whether or not the server answers it."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(_BROKEN):
                session.quit()
            session.close()

    def _announce(self, message: OutgoingMessage) -> smtplib.SMTP:
        """MAIL and RCPT. A kept session that has died since it was last used is replaced once."""
        reused = self._session is not None
        try:
            return self._envelope(message)
        except RelayUnreachable:
            if not reused:
                raise
            return self._envelope(message)

    def _envelope(self, message: OutgoingMessage) -> smtplib.SMTP:
        session = self._opened()
        options = self._mail_options(session, message)
        self._command(Phase.MAIL, message, lambda: session.mail(message.envelope_sender, options))
        self._command(Phase.RCPT, message, lambda: session.rcpt(message.envelope_recipient))
        return session

    def _mail_options(self, session: smtplib.SMTP, message: OutgoingMessage) -> list[str]:
        size = _declared_size(session, len(message.content))
        if not message.requires_smtputf8:
            return size
        if not session.has_extn("smtputf8"):
            raise InternationalAddressRefused(
                "The address has non-ASCII letters before the @, and the relay does not offer SMTPUTF8: "
                "ask the person for another address, or send through a relay that knows RFC 6531."
            )
        return [*size, "SMTPUTF8", "BODY=8BITMIME"]

    def _command(self, phase: Phase, message: OutgoingMessage, say: Callable[[], tuple[int, bytes]]) -> None:
        try:
            reply = Reply.of(say(), without=message.envelope_recipient)
        except _BROKEN as error:
            self._drop()
            raise RelayUnreachable(f"The connection broke at {phase}: nothing was sent, retry.") from error
        if reply.code in _SUCCESS:
            return
        if reply.code == _CLOSING:
            self._drop()
            raise RelayUnreachable(f"The server closed the session at {phase}: retry.", reply=str(reply))
        self._reset()
        raise refusal(reply, phase)

    def _transfer(self, session: smtplib.SMTP, message: OutgoingMessage) -> str:
        """DATA and the content; from the first byte of content on, a lost connection means an unknown outcome."""
        try:
            go_ahead = Reply.of(session.docmd("DATA"), without=message.envelope_recipient)
        except _BROKEN as error:
            self._drop()
            raise RelayUnreachable("The connection broke at DATA: no content was sent, retry.") from error
        if go_ahead.code != _GO_AHEAD:
            raise self._refused(go_ahead, Phase.DATA)
        try:
            self._wait_up_to(session, self._options.data_timeout_in_seconds)
            session.send(_framed(message.content))
            reply = Reply.of(session.getreply(), without=message.envelope_recipient)
            self._wait_up_to(session, self._options.command_timeout_in_seconds)
        except _BROKEN as error:
            self._drop()
            raise OutcomeUnknown("The connection was lost after content had been sent: reconcile.") from error
        if reply.code != _OK:
            raise self._refused(reply, Phase.CONTENT)
        return str(reply)

    def _refused(self, reply: Reply, phase: Phase) -> TransportError:
        if reply.code == _CLOSING:
            self._drop()
        else:
            self._reset()
        return refusal(reply, phase)

    def _opened(self) -> smtplib.SMTP:
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> smtplib.SMTP:
        options = self._options
        where = f"{options.host}:{options.port}"
        session = None
        try:
            session = self._connect()
            self._wait_up_to(session, options.command_timeout_in_seconds)
            self._introduce(session)
        except OSError as error:
            if session is not None:
                session.close()
            raise _as_transport_error(error, where) from error
        return session

    def _connect(self) -> smtplib.SMTP:
        options = self._options
        where, timeout = (options.host, options.port, options.helo_name), options.connect_timeout_in_seconds
        if options.implicit_tls:
            return smtplib.SMTP_SSL(*where, timeout=timeout, context=client_context(options.ca_file))
        return smtplib.SMTP(*where, timeout)

    def _introduce(self, session: smtplib.SMTP) -> None:
        session.ehlo_or_helo_if_needed()
        if self._options.starttls:
            session.starttls(context=client_context(self._options.ca_file))
            session.ehlo()
        if self._options.username:
            session.login(self._options.username, self._options.password)

    def _reset(self) -> None:
        """Take back what was announced; a session that cannot even do that is given up."""
        if self._session is not None:
            try:
                if self._session.rset()[0] != _OK:
                    self._drop()
            except _BROKEN:
                self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @staticmethod
    def _wait_up_to(session: smtplib.SMTP, seconds: float) -> None:
        if session.sock is not None:
            session.sock.settimeout(seconds)


def _declared_size(session: smtplib.SMTP, size: int) -> list[str]:
    """The size of the message for a relay that asks for it (RFC 1870), so that it refuses before the content leaves."""
    if not session.has_extn("size"):
        return []
    limit = session.esmtp_features["size"].strip()
    if limit.isdecimal() and 0 < int(limit) < size:
        raise SenderRefused(
            f"The message has {size} octets and the relay takes {limit}: raise its limit, or make the message smaller."
        )
    return [f"SIZE={size}"]


def _check_lines(content: bytes) -> None:
    """A lone CR or LF, or a missing last line end, means a second message to some servers (SMTP smuggling)."""
    pairs = content.count(b"\r\n")
    if content.count(b"\n") != pairs or content.count(b"\r") != pairs or not content.endswith(b"\r\n"):
        raise SenderRefused("The message has a line that does not end in CR LF: mend what wrote it. Nothing was sent.")


def _framed(content: bytes) -> bytes:
    """The content as DATA wants it: leading dots doubled, and the lone dot at the end (RFC 5321 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if content.startswith(b".") else b"") + stuffed + b".\r\n"


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
