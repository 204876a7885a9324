"""SMTP with a session that is kept open, a timeout for each phase, and no guess about what happened."""

import smtplib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from enrollment_crm.mail.accept_log import AcceptLog
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.smtp_replies import Phase, Reply, refusal
from enrollment_crm.mail.smtp_session import SmtpOptions, opened_session, wait_up_to
from enrollment_crm.mail.transport import (
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TransportError,
)

__all__ = ["SmtpOptions", "SmtpTransport"]

_OK = 250
_GO_AHEAD = 354
_CLOSING = 421
_SUCCESS = range(200, 300)
#: A connection that breaks shows in one of these: smtplib's own errors are OSErrors too.
_BROKEN = OSError


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
            wait_up_to(session, self._options.data_timeout_in_seconds)
            session.send(_framed(message.content))
            reply = Reply.of(session.getreply(), without=message.envelope_recipient)
            wait_up_to(session, self._options.command_timeout_in_seconds)
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
            self._session = opened_session(self._options)
        return self._session

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
