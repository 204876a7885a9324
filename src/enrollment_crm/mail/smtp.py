"""SMTP with a session that is kept open, a timeout for each phase, and no guess about what happened."""

import smtplib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from enrollment_crm.mail.accept_log import AcceptLog
from enrollment_crm.mail.failpoints import OFF, Failpoint, Place
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.smtp_content import check_lines, declared_size, framed
from enrollment_crm.mail.smtp_dialogue import Dialogue
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


@dataclass
class _Session:
    """An opened session: what was agreed on, and the dialogue that goes on from there."""

    smtp: smtplib.SMTP
    dialogue: Dialogue
    #: The server takes commands before it has answered the last one (RFC 2920).
    pipelines: bool


class SmtpTransport:
    """A Transport over one SMTP session, opened when first needed and reused until it breaks."""

    def __init__(
        self, options: SmtpOptions, *, accept_log: AcceptLog | None = None, failpoint: Failpoint = OFF
    ) -> None:
        self._options = options
        self._accept_log = accept_log
        self._failpoint = failpoint
        self._session: _Session | None = None

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Hand one message over; see `Transport.send`."""
        check_lines(message.content)
        session = self._announce(message)
        try:
            before_data()
        except BaseException:
            # After the go-ahead whatever we say is content: then the session can only be given up.
            self._drop() if session.pipelines else self._reset()
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
                session.dialogue.command(b"QUIT", within=self._options.command_timeout_in_seconds)
                session.dialogue.reply(within=self._options.command_timeout_in_seconds)
            session.smtp.close()

    def _announce(self, message: OutgoingMessage) -> _Session:
        """MAIL and RCPT. A kept session that has died since it was last used is replaced once."""
        reused = self._session is not None
        try:
            return self._envelope(message)
        except RelayUnreachable:
            if not reused:
                raise
            return self._envelope(message)

    def _envelope(self, message: OutgoingMessage) -> _Session:
        session = self._opened()
        commands = [
            (Phase.MAIL, self._mail_command(session, message)),
            (Phase.RCPT, f"RCPT TO:<{message.envelope_recipient}>".encode()),
        ]
        if session.pipelines:
            self._ask(session, message, [*commands, (Phase.DATA, b"DATA")])
        else:
            for one in commands:
                self._ask(session, message, [one])
        return session

    @staticmethod
    def _mail_command(session: _Session, message: OutgoingMessage) -> bytes:
        size = declared_size(session.smtp, len(message.content))
        command = f"MAIL FROM:<{message.envelope_sender}>{size}"
        if not message.requires_smtputf8:
            return command.encode()
        if not session.smtp.has_extn("smtputf8"):
            raise InternationalAddressRefused(
                "The address has non-ASCII letters before the @, and the relay does not offer SMTPUTF8: "
                "ask the person for another address, or send through a relay that knows RFC 6531."
            )
        return f"{command} SMTPUTF8 BODY=8BITMIME".encode()

    def _ask(self, session: _Session, message: OutgoingMessage, commands: list[tuple[Phase, bytes]]) -> None:
        """Say the commands together; the first that is refused decides, once all replies are in."""
        wait, replies = self._options.command_timeout_in_seconds, []
        phase = commands[0][0]
        try:
            session.dialogue.command(*(line for _, line in commands), within=wait)
            for phase, _ in commands:  # noqa: B007  # where it broke is said below
                replies.append(Reply.of(session.dialogue.reply(within=wait), without=message.envelope_recipient))
                if replies[-1].code == _CLOSING:
                    break
        except _BROKEN as error:
            self._drop()
            raise RelayUnreachable(f"The connection broke at {phase}: nothing was sent, retry.") from error
        refused = next(
            ((phase, reply) for (phase, _), reply in zip(commands, replies, strict=False) if not _is_yes(reply, phase)),
            None,
        )
        if refused is None:
            return
        if refused[1].code == _CLOSING:
            self._drop()
            raise RelayUnreachable(f"The server closed the session at {refused[0]}: retry.", reply=str(refused[1]))
        # A go-ahead after a refusal waits for content: an empty one must not become a message.
        self._drop() if replies[-1].code == _GO_AHEAD else self._reset()
        raise refusal(refused[1], refused[0])

    def _transfer(self, session: _Session, message: OutgoingMessage) -> str:
        """The content; from its first byte on, a lost connection means an unknown outcome."""
        if not session.pipelines:
            self._ask_to_begin(session, message)
        ends = time.monotonic() + self._options.data_timeout_in_seconds
        try:
            session.dialogue.send(framed(message.content), within=self._options.data_timeout_in_seconds)
            self._failpoint.reach(Place.AFTER_DOT)
            answer = session.dialogue.reply(within=ends - time.monotonic())
        except _BROKEN as error:
            self._drop()
            raise OutcomeUnknown("The connection was lost after content had been sent: reconcile.") from error
        reply = Reply.of(answer, without=message.envelope_recipient)
        if reply.code != _OK:
            raise self._refused(reply, Phase.CONTENT)
        return str(reply)

    def _ask_to_begin(self, session: _Session, message: OutgoingMessage) -> None:
        wait = self._options.command_timeout_in_seconds
        try:
            session.dialogue.command(b"DATA", within=wait)
            reply = Reply.of(session.dialogue.reply(within=wait), without=message.envelope_recipient)
        except _BROKEN as error:
            self._drop()
            raise RelayUnreachable("The connection broke at DATA: no content was sent, retry.") from error
        if reply.code != _GO_AHEAD:
            raise self._refused(reply, Phase.DATA)

    def _refused(self, reply: Reply, phase: Phase) -> TransportError:
        if reply.code == _CLOSING:
            self._drop()
        else:
            self._reset()
        return refusal(reply, phase)

    def _opened(self) -> _Session:
        if self._session is None:
            smtp = self._open()
            if smtp.sock is None:
                raise RelayUnreachable("The session was lost while it was opened: retry.")
            self._session = _Session(smtp, Dialogue(smtp.sock), pipelines=smtp.has_extn("pipelining"))
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
            wait = self._options.command_timeout_in_seconds
            try:
                self._session.dialogue.command(b"RSET", within=wait)
                if self._session.dialogue.reply(within=wait)[0] != _OK:
                    self._drop()
            except _BROKEN:
                self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.smtp.close()

    @staticmethod
    def _wait_up_to(session: smtplib.SMTP, seconds: float) -> None:
        if session.sock is not None:
            session.sock.settimeout(seconds)


def _is_yes(reply: Reply, phase: Phase) -> bool:
    return reply.code == _GO_AHEAD if phase is Phase.DATA else reply.code in _SUCCESS


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
