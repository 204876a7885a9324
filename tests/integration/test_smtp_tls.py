"""TLS with a relay, on real sockets: verified, never weaker than asked, and kept over many messages."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.mail.transport import RelayUnreachable, SenderRefused, TransportError

CONTENT = b"Subject: Hello\r\nMessage-ID: <1@crm.example>\r\n\r\nhello\r\n"
MESSAGE = OutgoingMessage("bounces+1@crm.example", "ana@example.org", "<1@crm.example>", CONTENT, False)


def go_on() -> None:
    """Let the message go out."""


@dataclass
class Relay:
    """Keeps what it is given, and whether that came over TLS."""

    taken: list[bytes] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    sessions: int = 0

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope.content or b"")
        self.secured.append(server.transport.get_extra_info("ssl_object") is not None)
        self.options.append(envelope.mail_options)
        return "250 2.0.0 OK"


@dataclass
class Authority:
    """An authority of the test, the certificate that it gave to a relay, and its own as a file."""

    ca_file: Path
    relay_context: ssl.SSLContext

    @classmethod
    def for_name(cls, name: str, folder: Path) -> "Authority":
        ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(name).configure_cert(context)
        ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        return cls(folder / "ca.pem", context)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.for_name("127.0.0.1", tmp_path)


@contextmanager
def serving(relay: Relay, *, server: dict[str, Any], **options: Any) -> Iterator[SmtpTransport]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(relay, hostname="127.0.0.1", port=port, ready_timeout=10, **server)
    controller.start()
    transport = SmtpTransport(SmtpOptions(host="127.0.0.1", port=port, helo_name="crm.example", **options))
    try:
        yield transport
    finally:
        transport.close()
        controller.stop()


def test_starttls_comes_before_anything_is_said(authority: Authority) -> None:
    relay, server = Relay(), {"tls_context": authority.relay_context, "require_starttls": True}
    with serving(relay, server=server, starttls=True, ca_file=authority.ca_file) as transport:
        for _ in range(3):
            transport.send(MESSAGE, before_data=go_on)
    assert relay.secured == [True, True, True]
    assert relay.sessions == 2  # EHLO before and after STARTTLS: one session for all three


def test_implicit_tls(authority: Authority) -> None:
    relay, server = Relay(), {"ssl_context": authority.relay_context}
    with serving(relay, server=server, implicit_tls=True, ca_file=authority.ca_file) as transport:
        transport.send(MESSAGE, before_data=go_on)
        transport.send(MESSAGE, before_data=go_on)
    assert (relay.secured, relay.sessions) == ([True, True], 1)


def refusal_of(relay: Relay, *, server: dict[str, Any], **options: Any) -> TransportError:
    """Why a message does not go out; nothing of it has left."""
    with serving(relay, server=server, **options) as transport, pytest.raises(TransportError) as failure:
        transport.send(MESSAGE, before_data=go_on)
    assert relay.taken == []
    return failure.value


@pytest.mark.parametrize("how", ["starttls", "implicit_tls"])
def test_an_authority_that_nobody_trusts_is_refused(authority: Authority, how: str) -> None:
    server = {"ssl_context" if how == "implicit_tls" else "tls_context": authority.relay_context}
    refusal = refusal_of(Relay(), server=server, **{how: True})
    assert isinstance(refusal, SenderRefused)
    assert "CRM_SMTP_CA_FILE" in str(refusal)


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    other = Authority.for_name("other.example", tmp_path)
    server = {"tls_context": other.relay_context}
    assert isinstance(refusal_of(Relay(), server=server, starttls=True, ca_file=other.ca_file), SenderRefused)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_relay_with_nothing_newer_than_tls_1_1_gets_nothing(authority: Authority) -> None:
    authority.relay_context.set_ciphers("ALL:@SECLEVEL=0")
    authority.relay_context.minimum_version = ssl.TLSVersion.TLSv1
    authority.relay_context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = {"tls_context": authority.relay_context}
    # aiosmtpd hangs up without an alert: that looks like a relay that went away.
    assert isinstance(refusal_of(Relay(), server=server, starttls=True, ca_file=authority.ca_file), RelayUnreachable)


def test_implicit_tls_towards_a_port_that_speaks_plainly(authority: Authority) -> None:
    refusal = refusal_of(Relay(), server={}, implicit_tls=True, ca_file=authority.ca_file)
    assert "CRM_SMTP_STARTTLS on port 587" in str(refusal)


def test_signing_in_over_tls(authority: Authority) -> None:
    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=(login.login, login.password) == (b"crm", b"right"), handled=False)

    relay = Relay()
    server = {"tls_context": authority.relay_context, "authenticator": authenticate, "auth_required": True}
    with serving(
        relay, server=server, starttls=True, ca_file=authority.ca_file, username="crm", password="right"
    ) as transport:
        transport.send(MESSAGE, before_data=go_on)
    assert relay.secured == [True]


def test_the_size_is_declared_and_a_limit_is_kept() -> None:
    relay = Relay()
    with serving(relay, server={"data_size_limit": len(CONTENT)}) as transport:
        transport.send(MESSAGE, before_data=go_on)
        larger = OutgoingMessage("a@crm.example", "b@example.org", "<2@crm.example>", CONTENT + b"more\r\n", False)
        with pytest.raises(SenderRefused, match="raise its limit"):
            transport.send(larger, before_data=go_on)
        transport.send(MESSAGE, before_data=go_on)
    assert relay.options == [[f"SIZE={len(CONTENT)}"]] * 2
    assert relay.sessions == 1


# ---- What no library serves: lines of a relay, written by hand


def scripted(*sessions: Callable[[Any], None]) -> tuple[int, threading.Thread]:
    """A server that gives one script to each connection, in order."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with server:
            for script in sessions:
                connection, _ = server.accept()
                with connection, connection.makefile("rwb", buffering=0) as lines:
                    script(lines)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return server.getsockname()[1], thread


def one_message(lines: Any, *, then: bytes = b"") -> None:
    """Take one message, then say something more that nobody asked for."""
    lines.write(b"220 relay\r\n")
    for answer in (b"250 relay", b"250 OK", b"250 OK", b"354 go on"):
        lines.readline()
        lines.write(answer + b"\r\n")
    while lines.readline() != b".\r\n":
        pass
    lines.write(b"250 queued\r\n" + then)


def test_a_relay_that_ends_an_idle_session_with_421_is_opened_again() -> None:
    port, thread = scripted(lambda lines: one_message(lines, then=b"421 4.4.2 idle for too long\r\n"), one_message)
    transport = SmtpTransport(SmtpOptions(host="127.0.0.1", port=port, helo_name="crm.example"))
    assert transport.send(MESSAGE, before_data=go_on) == "250 queued"
    assert transport.send(MESSAGE, before_data=go_on) == "250 queued"
    transport.close()
    thread.join(timeout=5)


def test_a_relay_that_falls_silent_before_the_content_is_left_in_time() -> None:
    def silent(lines: Any) -> None:
        lines.write(b"220 relay\r\n")
        lines.readline()
        lines.write(b"250 relay\r\n")
        lines.readline()
        lines.readline()

    port, _ = scripted(silent)
    transport = SmtpTransport(
        SmtpOptions(host="127.0.0.1", port=port, helo_name="crm.example", command_timeout_in_seconds=0.3)
    )
    with pytest.raises(RelayUnreachable, match="MAIL"):
        transport.send(MESSAGE, before_data=go_on)


def test_what_was_slipped_in_before_starttls_is_not_heard(authority: Authority) -> None:
    """Answers that stand in the same packet as the 220 to STARTTLS come from nobody who has a certificate."""
    heard: list[bytes] = []

    def slips_in(lines: Any) -> None:
        lines.write(b"220 relay\r\n")
        lines.readline()
        lines.write(b"250-relay\r\n250 STARTTLS\r\n")
        lines.readline()
        lines.write(b"220 go ahead\r\n250-evil\r\n250 AUTH PLAIN\r\n")
        heard.append(lines.read(1) or b"")

    port, thread = scripted(slips_in)
    options = SmtpOptions(
        host="127.0.0.1", port=port, helo_name="crm.example", starttls=True, ca_file=authority.ca_file, username="u"
    )
    with pytest.raises((SenderRefused, RelayUnreachable)):
        SmtpTransport(options).send(MESSAGE, before_data=go_on)
    thread.join(timeout=5)
    assert heard == [b"\x16"]  # the first byte of a TLS handshake, and no command
