"""The mail server that keeps everything, over real SMTP."""

import mailbox as standard
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollment_crm.mail.maildir import Maildir
from enrollment_crm.stack import mailbox
from enrollment_crm.stack.ports import LOOPBACK, free_port
from enrollment_crm.stack.processes import Supervisor

MESSAGE = b"From: school@crm.example\r\nSubject: Hello\r\n\r\n.leading dot\r\n  and spaces  \r\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def port(supervisor: Supervisor, directory: Path) -> int:
    wanted = free_port()
    supervisor.launch(mailbox.service(wanted, directory))
    supervisor.wait_until_ready()
    return wanted


@pytest.fixture
def session(port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(LOOPBACK, port, local_hostname="localhost", timeout=10) as connected:
        yield connected


def kept(directory: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted((directory / "new").iterdir())]


def test_message_is_there_when_250_arrives(session: smtplib.SMTP, directory: Path) -> None:
    session.sendmail("bounces+7@crm.example", ["ada@people.example"], MESSAGE)
    assert kept(directory) == [
        b"Return-Path: <bounces+7@crm.example>\r\nDelivered-To: ada@people.example\r\n" + MESSAGE
    ]
    assert list((directory / "tmp").iterdir()) == []


def test_it_is_a_maildir(session: smtplib.SMTP, directory: Path) -> None:
    session.sendmail("a@crm.example", ["b@people.example"], MESSAGE)
    (message,) = standard.Maildir(directory, create=False)
    assert message["Subject"] == "Hello"
    assert message["Delivered-To"] == "b@people.example"


def test_several_messages_in_one_session(session: smtplib.SMTP, directory: Path) -> None:
    for number in range(20):
        session.sendmail("a@crm.example", ["b@people.example"], MESSAGE + str(number).encode() + b"\r\n")
    assert len(kept(directory)) == 20


def test_addresses_beyond_ascii(session: smtplib.SMTP, directory: Path) -> None:
    session.ehlo()
    assert session.has_extn("smtputf8")
    session.sendmail("a@crm.example", ["jürgen@people.example"], MESSAGE, mail_options=["SMTPUTF8"])
    assert "Delivered-To: jürgen@people.example\r\n".encode() in kept(directory)[0]


def test_null_sender(session: smtplib.SMTP, directory: Path) -> None:
    session.sendmail("", ["b@people.example"], MESSAGE)
    assert kept(directory)[0].startswith(b"Return-Path: <>\r\n")


def test_too_large(session: smtplib.SMTP, directory: Path) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as caught:
        session.sendmail("a@crm.example", ["b@people.example"], b"x" * 70 + b"\r\n" + b"y" * 11_000_000)
    assert caught.value.smtp_code == 552
    assert kept(directory) == []


def test_keeps_what_it_had_after_a_kill(
    supervisor: Supervisor, session: smtplib.SMTP, port: int, directory: Path
) -> None:
    session.sendmail("a@crm.example", ["b@people.example"], MESSAGE)
    supervisor.restart("mailbox")
    with smtplib.SMTP(LOOPBACK, port, local_hostname="localhost", timeout=10) as again:
        again.sendmail("a@crm.example", ["b@people.example"], MESSAGE)
    assert len(kept(directory)) == 2


def test_two_writers_never_overwrite(tmp_path: Path) -> None:
    for writer in (Maildir(tmp_path), Maildir(tmp_path)):
        for number in range(50):
            writer.keep(str(number).encode(), sender="", recipients=[])
    assert len(list((tmp_path / "new").iterdir())) == 100
