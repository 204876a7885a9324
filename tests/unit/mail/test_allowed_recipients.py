"""Outside production nobody is written to whose domain is not listed, and nothing is connected to."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from enrollment_crm.bootstrap import transport_of
from enrollment_crm.bootstrap.transports import allowed_recipients_of
from enrollment_crm.mail.allowed_recipients import AllowedRecipients
from enrollment_crm.mail.file_transport import FileTransport
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.transport import RecipientNotAllowed, RelayUnreachable
from enrollment_crm.settings import Settings

CONTENT = b"Subject: x\r\nMessage-ID: <1@crm.example>\r\n\r\n.x\r\n"


def message(to: str) -> OutgoingMessage:
    return OutgoingMessage("bounces+1@crm.example", to, "<1@crm.example>", CONTENT, requires_smtputf8=False)


class ConnectedError(Exception):
    """Somebody opened a connection."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise ConnectedError

    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, connect)
    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("environment", ["development", "staging"])
@pytest.mark.parametrize("transport", ["smtp", "provider"])
@pytest.mark.parametrize("domains", ["", "example.edu", "ample.org, xample.org"])
def test_nothing_leaves_for_a_domain_that_is_not_listed(environment: str, transport: str, domains: str) -> None:
    settings = Settings(
        environment=environment,
        transport=transport,
        provider_key=SecretStr("re_1"),
        secret_key=SecretStr("unguessable"),
        allowed_recipient_domains=domains,
    )
    called: list[str] = []
    for address in ("ana@example.org", "ana@sub.example.edu", '"@example.edu"@example.org'):
        with pytest.raises(RecipientNotAllowed, match="CRM_ALLOWED_RECIPIENT_DOMAINS") as refusal:
            transport_of(settings).send(message(address), before_data=lambda: called.append("DATA"))
        assert "ana" not in str(refusal.value)
    assert called == []


@pytest.mark.usefixtures("no_network")
def test_the_guard_is_what_stands_between() -> None:
    """The same message to a listed domain reaches the network, so the test above can fail."""
    allowed = transport_of(Settings(allowed_recipient_domains="example.org"))
    with pytest.raises(ConnectedError):
        allowed.send(message("ana@example.org"), before_data=lambda: None)


@pytest.mark.parametrize(
    ("environment", "domains", "address", "allowed"),
    [
        ("production", "", "ana@example.org", True),
        ("production", "example.edu", "ana@example.org", False),
        ("staging", "example.edu", "ana@Example.EDU", True),
        ("staging", "münchen.example", "ana@xn--mnchen-3ya.example", True),
        ("staging", "", "ops@school.example", True),
        ("staging", "", "other@school.example", False),
        ("development", "*", "ana@example.org", True),
    ],
)
def test_who_may_be_written_to(environment: str, domains: str, address: str, allowed: bool) -> None:
    settings = Settings(
        environment=environment,
        secret_key=SecretStr("unguessable"),
        allowed_recipient_domains=domains,
        operations_address="ops@school.example",
    )
    assert allowed_recipients_of(settings).allow(address) is allowed


@pytest.mark.parametrize("entry", ["not a domain", "ana@example.org", "-.example", "http://example.org"])
def test_a_list_with_something_else_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="CRM_ALLOWED_RECIPIENT_DOMAINS"):
        AllowedRecipients.listed(f"example.edu,{entry}")


@pytest.mark.usefixtures("no_network")
def test_files_reach_nobody_and_are_kept_to_the_byte(tmp_path: Path) -> None:
    transport = transport_of(Settings(transport="file", mail_directory=tmp_path / "mail"))
    assert isinstance(transport, FileTransport)
    calls: list[int] = []
    reply = transport.send(
        message("ana@example.org"), before_data=lambda: calls.append(len(list((tmp_path / "mail" / "new").iterdir())))
    )
    (file,) = (tmp_path / "mail" / "new").iterdir()
    assert file.suffix == ".eml"
    assert file.read_bytes() == (b"Return-Path: <bounces+1@crm.example>\r\nDelivered-To: ana@example.org\r\n" + CONTENT)
    assert (calls, reply[:3]) == ([0], "250")
    assert transport.was_accepted("<1@crm.example>") is True
    assert transport.was_accepted("<2@crm.example>") is False


def test_without_a_list_the_relay_is_not_even_looked_up() -> None:
    settings = Settings(smtp_host="relay.invalid", allowed_recipient_domains="example.org")
    with pytest.raises(RelayUnreachable):
        transport_of(settings).send(message("ana@example.org"), before_data=lambda: None)
    with pytest.raises(RecipientNotAllowed):
        transport_of(settings).send(message("ana@example.net"), before_data=lambda: None)
