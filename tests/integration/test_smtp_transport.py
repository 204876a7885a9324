"""The SMTP transport against a real server on loopback that answers as it is told."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.mail.transport import (
    AddressRefused,
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TemporarilyRefused,
    TransportError,
)

CONTENT = b"Subject: Hello\r\nMessage-ID: <1@crm.example>\r\n\r\n.\r\n..two\r\nend\r\n"


def message(to: str = "ana@example.org", *, utf8: bool = False) -> OutgoingMessage:
    return OutgoingMessage("bounces+1@crm.example", to, "<1@crm.example>", CONTENT, requires_smtputf8=utf8)


def go_on() -> None:
    """Let the message go out."""


@dataclass
class Relay:
    """What the server answers in each phase, and what it saw. An answer of "drop" cuts the connection."""

    answers: dict[str, str] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)
    resets: int = 0
    accepted: list[Envelope] = field(default_factory=list)
    _servers: list[SMTP] = field(default_factory=list)

    def hang_up(self) -> None:
        """Cut all sessions, as servers do with idle ones."""
        for server in self._servers:
            server.loop.call_soon_threadsafe(server.transport.abort)

    def _answer(self, phase: str, server: SMTP, otherwise: str) -> str:
        answer = self.answers.get(phase, otherwise)
        if answer == "drop":
            server.transport.abort()
        return answer

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions.append(hostname)
        self._servers.append(server)
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answer("MAIL", server, "250 2.1.0 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer("RCPT", server, "250 2.1.5 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.resets += 1
        return self._answer("RSET", server, "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer("content", server, "250 2.0.0 OK queued as 7")
        if answer.startswith("2"):
            self.accepted.append(envelope)
        if answer == "slow":
            await asyncio.sleep(5)
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self._answer("QUIT", server, "221 Bye")


@contextmanager
def serving(relay: Relay, **options: Any) -> Iterator[SmtpTransport]:
    server: dict[str, Any] = {"enable_SMTPUTF8": False}
    server |= {name: options.pop(name) for name in list(options) if name.startswith(("enable", "auth"))}
    controller = Controller(relay, hostname="127.0.0.1", port=0, ready_timeout=10, **server)
    # aiosmtpd waits for its port by connecting to it; with port 0 it has to be told which one it got.
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    transport = SmtpTransport(SmtpOptions(host="127.0.0.1", port=controller.port, helo_name="crm.example", **options))
    try:
        yield transport
    finally:
        transport.close()
        controller.stop()


def test_an_accepted_message_arrives_as_it_was_built() -> None:
    relay = Relay()
    with serving(relay) as transport:
        assert transport.send(message(), before_data=go_on) == "250 2.0.0 OK queued as 7"
    (envelope,) = relay.accepted
    assert (envelope.mail_from, envelope.rcpt_tos) == ("bounces+1@crm.example", ["ana@example.org"])
    assert envelope.content == CONTENT
    assert relay.sessions == ["crm.example"]


def test_one_session_carries_many_messages() -> None:
    relay = Relay()
    with serving(relay) as transport:
        for _ in range(5):
            transport.send(message(), before_data=go_on)
    assert (len(relay.accepted), len(relay.sessions)) == (5, 1)


def test_a_refused_message_leaves_the_session_clean_for_the_next() -> None:
    relay = Relay({"RCPT": "550 5.1.1 <ana@example.org>: no such user"})
    with serving(relay) as transport:
        with pytest.raises(AddressRefused) as refusal:
            transport.send(message(), before_data=go_on)
        relay.answers.clear()
        transport.send(message("bo@example.org"), before_data=go_on)
    assert relay.accepted[0].rcpt_tos == ["bo@example.org"]
    assert (relay.resets, len(relay.sessions)) == (1, 1)
    assert "ana@example.org" not in str(refusal.value)
    assert refusal.value.reply == "550 5.1.1 <<recipient>>: no such user"


@pytest.mark.parametrize(
    ("phase", "answer", "error"),
    [
        ("MAIL", "451 4.3.0 try later", TemporarilyRefused),
        ("MAIL", "553 5.1.8 sender domain does not exist", SenderRefused),
        ("MAIL", "550 not you", SenderRefused),
        ("RCPT", "450 4.2.1 mailbox busy", TemporarilyRefused),
        ("RCPT", "550 5.1.1 no such user", AddressRefused),
        ("RCPT", "550 no such user", AddressRefused),
        ("RCPT", "550 5.7.1 relaying denied", SenderRefused),
        ("RCPT", "421 4.3.2 shutting down", RelayUnreachable),
        ("RCPT", "drop", RelayUnreachable),
        ("content", "451 4.7.1 greylisted", TemporarilyRefused),
        ("content", "421 4.3.2 shutting down", TemporarilyRefused),
        ("content", "550 5.1.1 no such user after all", AddressRefused),
        ("content", "554 5.7.1 looks like spam", SenderRefused),
        ("content", "552 too big", SenderRefused),
        ("content", "drop", OutcomeUnknown),
    ],
)
def test_every_way_to_fail_has_its_name(phase: str, answer: str, error: type[TransportError]) -> None:
    relay = Relay({phase: answer})
    with serving(relay) as transport:
        with pytest.raises(TransportError) as failure:
            transport.send(message(), before_data=go_on)
        assert type(failure.value) is error
        relay.answers.clear()
        # Whatever happened: the next message goes out.
        transport.send(message("bo@example.org"), before_data=go_on)
    assert [envelope.rcpt_tos for envelope in relay.accepted] == [["bo@example.org"]]


def test_before_data_is_called_once_before_any_content() -> None:
    relay, calls = Relay(), []
    with serving(relay) as transport:
        transport.send(message(), before_data=lambda: calls.append(len(relay.accepted)))
    assert calls == [0]


def test_before_data_can_abandon_the_message() -> None:
    relay = Relay()

    def give_up() -> None:
        raise TimeoutError("the lease has run out")

    with serving(relay) as transport:
        with pytest.raises(TimeoutError, match="the lease has run out"):
            transport.send(message(), before_data=give_up)
        transport.send(message("bo@example.org"), before_data=go_on)
    assert [envelope.rcpt_tos for envelope in relay.accepted] == [["bo@example.org"]]
    assert (relay.resets, len(relay.sessions)) == (1, 1)


def test_before_data_is_not_called_when_the_address_is_refused() -> None:
    calls: list[str] = []
    with serving(Relay({"RCPT": "550 5.1.1 no such user"})) as transport, pytest.raises(AddressRefused):
        transport.send(message(), before_data=lambda: calls.append("called"))
    assert calls == []


def test_accepted_stays_accepted_when_quit_fails() -> None:
    relay = Relay({"QUIT": "drop"})
    with serving(relay) as transport:
        assert transport.send(message(), before_data=go_on).startswith("250")
        transport.close()
    assert len(relay.accepted) == 1


def test_a_session_that_died_between_two_messages_is_replaced_without_a_word() -> None:
    relay = Relay()
    with serving(relay) as transport:
        transport.send(message(), before_data=go_on)
        relay.hang_up()
        transport.send(message(), before_data=go_on)
    assert (len(relay.accepted), len(relay.sessions)) == (2, 2)


def test_a_server_that_never_answers_the_content_ends_in_an_unknown_outcome() -> None:
    relay = Relay({"content": "slow"})
    with serving(relay, data_timeout_in_seconds=0.3) as transport, pytest.raises(OutcomeUnknown, match="reconcile"):
        transport.send(message(), before_data=go_on)


def test_nobody_listens() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        transport = SmtpTransport(SmtpOptions(host="127.0.0.1", port=port, helo_name="crm.example"))
        with pytest.raises(RelayUnreachable, match="CRM_SMTP_PORT"):
            transport.send(message(), before_data=go_on)


@pytest.mark.parametrize(
    ("greeting", "error"),
    [(b"421 busy\r\n", RelayUnreachable), (b"554 5.7.1 go away\r\n", SenderRefused), (b"", RelayUnreachable)],
)
def test_a_server_that_does_not_welcome_us(greeting: bytes, error: type[TransportError]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=lambda: _greet(server, greeting), daemon=True).start()
        options = SmtpOptions(host="127.0.0.1", port=server.getsockname()[1], helo_name="crm.example")
        with pytest.raises(TransportError) as failure:
            SmtpTransport(options).send(message(), before_data=go_on)
        assert type(failure.value) is error


def _greet(server: socket.socket, greeting: bytes) -> None:
    connection, _ = server.accept()
    connection.sendall(greeting)
    connection.close()


def test_an_international_address_needs_a_relay_that_knows_it() -> None:
    to_jose = message("josé@example.org", utf8=True)
    with serving(Relay()) as transport:
        with pytest.raises(InternationalAddressRefused, match="SMTPUTF8"):
            transport.send(to_jose, before_data=go_on)
        transport.send(message(), before_data=go_on)
    relay = Relay()
    with serving(relay, enable_SMTPUTF8=True) as transport:
        transport.send(to_jose, before_data=go_on)
    assert relay.accepted[0].rcpt_tos == ["josé@example.org"]
    assert relay.accepted[0].smtp_utf8


def test_a_quoted_address_is_said_with_its_quotes() -> None:
    with scripted({"RCPT": b"250 OK", "DATA": b"354 go on", ".": b"250 OK"}) as (transport, heard):
        transport.send(message('"taro..yamada"@docomo.ne.jp'), before_data=go_on)
    assert b'RCPT TO:<"taro..yamada"@docomo.ne.jp>' in heard


PIPELINING = b"250-relay.example\r\n250 PIPELINING"


@contextmanager
def scripted(answers: dict[str, bytes]) -> Iterator[tuple[SmtpTransport, list[bytes]]]:
    """A server that offers PIPELINING, answers each command as it is told, and remembers the lines that it heard."""
    heard: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        script = {"EHLO": PIPELINING} | answers
        threading.Thread(target=lambda: _follow(server, script, heard), daemon=True).start()
        options = SmtpOptions(
            host="127.0.0.1",
            port=server.getsockname()[1],
            helo_name="crm.example",
            command_timeout_in_seconds=1,
            data_timeout_in_seconds=1,
        )
        transport = SmtpTransport(options)
        yield transport, heard
        transport.close()


def _follow(server: socket.socket, script: dict[str, bytes], heard: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 relay.example\r\n")
                for line in lines:
                    heard.append(line.rstrip().replace(b"ehlo", b"EHLO"))
                    word = line.strip().decode().partition(" ")[0].upper()
                    if word in ("EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT", "."):
                        connection.sendall(script.get(word, b"250 OK") + b"\r\n")


def test_commands_are_pipelined_where_the_relay_offers_it() -> None:
    """A server that answers nothing before DATA still gets all three."""
    with scripted({"MAIL": b"250-a\r\n250 b", "DATA": b"354 go on", ".": b"250 2.0.0 mine"}) as (transport, heard):
        assert transport.send(message(), before_data=go_on) == "250 2.0.0 mine"
        assert transport.send(message(), before_data=go_on) == "250 2.0.0 mine"
    assert [line.split(b" ")[0] for line in heard if line[:4] in (b"EHLO", b"MAIL", b"RCPT", b"DATA")] == [
        b"EHLO",
        *[b"MAIL", b"RCPT", b"DATA"] * 2,
    ]


def test_a_go_ahead_after_a_refused_address_gets_no_content() -> None:
    calls: list[str] = []
    with scripted({"RCPT": b"550 5.1.1 no such user", "DATA": b"354 go on"}) as (transport, heard):
        with pytest.raises(AddressRefused):
            transport.send(message(), before_data=lambda: calls.append("called"))
        assert calls == []
        with pytest.raises(AddressRefused):
            transport.send(message("bo@example.org"), before_data=go_on)
    assert b"." not in heard
    assert heard.count(b"EHLO crm.example") == 2


def test_a_message_that_is_abandoned_after_the_go_ahead_gets_no_content() -> None:
    def give_up() -> None:
        raise TimeoutError("the lease has run out")

    with scripted({"DATA": b"354 go on", ".": b"250 OK"}) as (transport, heard):
        with pytest.raises(TimeoutError, match="the lease has run out"):
            transport.send(message(), before_data=give_up)
        assert b"." not in heard
        transport.send(message(), before_data=go_on)
    assert heard.count(b"EHLO crm.example") == 2


def test_a_reply_that_comes_a_byte_at_a_time_ends_in_an_unknown_outcome() -> None:
    """Each byte comes in time, the reply as a whole does not."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=lambda: _dribble(server), daemon=True).start()
        options = SmtpOptions(
            host="127.0.0.1", port=server.getsockname()[1], helo_name="x", data_timeout_in_seconds=0.5
        )
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            SmtpTransport(options).send(message(), before_data=go_on)
        assert time.monotonic() - began < 1.5


def _dribble(server: socket.socket) -> None:
    connection, _ = server.accept()
    with suppress(OSError), connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 x\r\n")
        for line in lines:
            if line.startswith(b"ehlo"):
                connection.sendall(PIPELINING + b"\r\n")
            elif line.startswith(b"DATA"):
                connection.sendall(b"250 OK\r\n250 OK\r\n354 go on\r\n")
            elif line == b".\r\n":
                for byte in b"250 2.0.0 " + b"x" * 100:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.1)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_signing_in() -> None:
    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=login.password == b"right", handled=False)

    server: dict[str, object] = {"authenticator": authenticate, "auth_require_tls": False, "auth_required": True}
    relay = Relay()
    with serving(relay, username="crm", password="right", **server) as transport:
        transport.send(message(), before_data=go_on)
    assert len(relay.accepted) == 1
    wrong = serving(relay, username="crm", password="wrong", **server)
    with wrong as transport, pytest.raises(SenderRefused, match="535"):
        transport.send(message(), before_data=go_on)


def test_a_relay_without_starttls_is_ours_to_mend() -> None:
    with serving(Relay(), starttls=True) as transport, pytest.raises(SenderRefused, match="CRM_SMTP_STARTTLS"):
        transport.send(message(), before_data=go_on)


def test_options_do_not_print_the_password() -> None:
    options: Callable[..., SmtpOptions] = SmtpOptions
    assert "hidden" not in repr(options(host="h", port=25, helo_name="x", password="hidden"))
