"""SMTP with a session that is kept open, a timeout for each phase, and no guess about what happened."""

import smtplib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.mail.accept_log import AcceptLog
from enrollment_crm.mail.failpoints import OFF, Failpoint, Place
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.smtp_content import check_lines, declared_size, framed
from enrollment_crm.mail.smtp_dialogue import Dialogue
from enrollment_crm.mail.smtp_replies import Phase, Reply, refusal
from enrollment_crm.mail.smtp_session import SmtpOptions, opened_session
from enrollment_crm.mail.transport import (
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    TransportError,
)

_OK = 250
_GO_AHEAD = 354
_CLOSING = 421
_SUCCESS = range(200, 300)
#: A connection that breaks shows in one of these: smtplib's own errors are OSErrors too.
_BROKEN = OSError


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
        # Any 2xx takes the message (RFC 5321 4.2.1): whoever calls 251 a refusal sends it twice.
        if reply.code not in _SUCCESS:
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
            smtp = opened_session(self._options)
            if smtp.sock is None:
                raise RelayUnreachable("The session was lost while it was opened: retry.")
            self._session = _Session(smtp, Dialogue(smtp.sock), pipelines=smtp.has_extn("pipelining"))
        return self._session

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


def _is_yes(reply: Reply, phase: Phase) -> bool:
    return reply.code == _GO_AHEAD if phase is Phase.DATA else reply.code in _SUCCESS
