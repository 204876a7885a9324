import mailbox
from pathlib import Path

import pytest

from enrollment_crm.mail.accept_log import MaildirAcceptLog


@pytest.fixture
def maildir(tmp_path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(tmp_path / "Maildir", create=True)


def log_of(maildir: mailbox.Maildir) -> MaildirAcceptLog:
    return MaildirAcceptLog(Path(maildir._path))


def test_it_knows_what_arrived_before_and_after_it_was_asked(maildir: mailbox.Maildir) -> None:
    log = log_of(maildir)
    maildir.add(b"Received: by relay\r\nMESSAGE-ID: <1@crm.example>\r\nSubject: a\r\n\r\nbody")
    assert log.was_accepted("<1@crm.example>") is True
    assert log.was_accepted("<2@crm.example>") is False
    maildir.add(b"Message-ID:\r\n <2@crm.example>\r\n\r\nbody")
    assert log.was_accepted("<2@crm.example>") is True


def test_a_body_that_quotes_a_message_id_proves_nothing(maildir: mailbox.Maildir) -> None:
    maildir.add(b"Subject: a\r\n\r\nMessage-ID: <1@crm.example>\r\n")
    assert log_of(maildir).was_accepted("<1@crm.example>") is False


def test_long_headers_are_read_to_their_end(maildir: mailbox.Maildir) -> None:
    maildir.add(b"Received: " + b"x" * 40_000 + b"\r\nMessage-ID: <1@crm.example>\r\n\r\n")
    assert log_of(maildir).was_accepted("<1@crm.example>") is True


def test_a_message_stays_accepted_when_it_is_read_moved_or_deleted(maildir: mailbox.Maildir) -> None:
    log = log_of(maildir)
    key = maildir.add(b"Message-ID: <1@crm.example>\r\n\r\n")
    message = maildir[key]
    message.set_subdir("cur")
    message.add_flag("S")
    maildir[key] = message
    assert log.was_accepted("<1@crm.example>") is True
    maildir.remove(key)
    assert log.was_accepted("<1@crm.example>") is True


def test_without_a_maildir_it_cannot_be_told(tmp_path: Path) -> None:
    assert MaildirAcceptLog(tmp_path / "nowhere").was_accepted("<1@crm.example>") is None
