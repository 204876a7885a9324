"""The bounce mailbox on a real IMAP server: read, filed, and never lost."""

import imaplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.imap_server import PASSWORD, USER, ImapServer, imap_server

from enrollment_crm.sources.bounce_mailbox import (
    BrokenLettersError,
    Folder,
    Letter,
    MailboxRefusedError,
    MailboxUnreachableError,
)
from enrollment_crm.sources.imap_mailbox import ImapMailbox, ImapOptions

LARGEST = 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    with imap_server(tmp_path_factory.mktemp("imap")) as running:
        yield running


@pytest.fixture
def session(server: ImapServer) -> Iterator[imaplib.IMAP4]:
    """Another client of the same mailbox, which finds it empty."""
    client = imaplib.IMAP4("127.0.0.1", server.port)
    client.starttls(server.trusting())
    client.login(USER, PASSWORD)
    for folder in (*(one.value for one in Folder), "INBOX"):
        client.create(folder)
        client.select(folder)
        client.store("1:*", "+FLAGS", r"\Deleted")
        client.expunge()
    yield client
    client.logout()


def deliver(session: imaplib.IMAP4, *contents: bytes) -> None:
    for content in contents:
        assert session.append("INBOX", "", "", content)[0] == "OK"


def waiting(session: imaplib.IMAP4, folder: str) -> list[bytes]:
    """What lies in a folder and is not marked as deleted."""
    session.select(folder)
    numbers = session.search(None, "UNDELETED")[1][0].split()
    return [session.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers]  # type: ignore[index,misc]


def mailbox_of(server: ImapServer, *, password: str = PASSWORD, folder: str = "INBOX") -> ImapMailbox:
    tls = server.trusting()
    return ImapMailbox(ImapOptions("127.0.0.1", server.port, USER, password, folder, "imap+starttls", 5, tls))


def test_letters_are_read_in_order_and_stay_until_they_are_filed(server: ImapServer, session: imaplib.IMAP4) -> None:
    deliver(session, b"Subject: 1\r\n\r\none\r\n", b"Subject: 2\r\n\r\ntwo\r\n")
    mailbox = mailbox_of(server)
    letters = list(mailbox.letters(largest_in_bytes=LARGEST))
    assert [one.content[:10] for one in letters] == [b"Subject: 1", b"Subject: 2"]
    assert len(waiting(session, "INBOX")) == 2
    mailbox.file(letters[0], Folder.DONE)
    mailbox.file(letters[1], Folder.REPLIES)
    mailbox.close()
    assert waiting(session, "INBOX") == []
    assert waiting(session, "done") == [b"Subject: 1\r\n\r\none\r\n"]
    assert waiting(session, "replies") == [b"Subject: 2\r\n\r\ntwo\r\n"]


def test_no_more_is_read_than_was_asked_for(server: ImapServer, session: imaplib.IMAP4) -> None:
    deliver(session, b"Subject: long\r\n\r\n" + b"x" * 100_000)
    mailbox = mailbox_of(server)
    (letter,) = mailbox.letters(largest_in_bytes=500)
    assert len(letter.content) == 500
    mailbox.file(letter, Folder.UNREADABLE)
    mailbox.close()
    assert len(waiting(session, "unreadable")[0]) > 100_000


@pytest.mark.parametrize(
    ("failure", "words"),
    [(imaplib.IMAP4.error("NO"), "refused a command"), (imaplib.IMAP4.abort("gone"), "broke the connection off")],
)
def test_a_letter_that_the_server_does_not_give_is_named_and_the_others_are_read(
    server: ImapServer, session: imaplib.IMAP4, monkeypatch: pytest.MonkeyPatch, failure: Exception, words: str
) -> None:
    deliver(session, *(f"Subject: {number}\r\n\r\nx\r\n".encode() for number in range(3)))
    asked, refused = imaplib.IMAP4.uid, list[str]()

    def uid(self: imaplib.IMAP4, command: str, *words: str) -> object:
        if command == "FETCH" and words[0] == (refused or [words[0]])[0]:
            refused[:] = [words[0]]
            raise failure
        return asked(self, command, *words)

    monkeypatch.setattr(imaplib.IMAP4, "uid", uid)
    mailbox, read = mailbox_of(server), list[bytes]()
    with pytest.raises(BrokenLettersError, match=rf"UID \d+ \(.*{words}\)"):
        read.extend(one.content[:10] for one in mailbox.letters(largest_in_bytes=LARGEST))
    mailbox.close()
    assert read == [b"Subject: 1", b"Subject: 2"]


def test_what_somebody_else_has_filed_is_no_error(server: ImapServer, session: imaplib.IMAP4) -> None:
    deliver(session, b"Subject: 1\r\n\r\none\r\n")
    one, other = mailbox_of(server), mailbox_of(server)
    (letter,) = one.letters(largest_in_bytes=LARGEST)
    other.file(next(iter(other.letters(largest_in_bytes=LARGEST))), Folder.DONE)
    one.file(letter, Folder.DONE)
    one.close()
    other.close()
    assert len(waiting(session, "done")) == 1


def test_a_wrong_password_is_refused_and_named_nowhere(server: ImapServer) -> None:
    mailbox = mailbox_of(server, password="wrong and secret")
    with pytest.raises(MailboxRefusedError, match="CRM_BOUNCE_MAILBOX_URL") as error:
        list(mailbox.letters(largest_in_bytes=LARGEST))
    assert "wrong and secret" not in repr(error.value) + repr(mailbox_of(server, password="wrong and secret")._options)


def test_a_folder_that_is_not_there_is_refused(server: ImapServer) -> None:
    with pytest.raises(MailboxRefusedError, match="folder"):
        list(mailbox_of(server, folder="nowhere").letters(largest_in_bytes=LARGEST))


def test_a_certificate_that_nobody_vouches_for_is_refused(server: ImapServer) -> None:
    mailbox = ImapMailbox(ImapOptions("127.0.0.1", server.port, USER, PASSWORD, scheme="imap+starttls"))
    with pytest.raises(MailboxUnreachableError, match="SSLCertVerificationError"):
        list(mailbox.letters(largest_in_bytes=LARGEST))


def test_a_server_that_is_not_there_is_tried_again_later(tmp_path: Path) -> None:
    with imap_server(tmp_path) as gone:
        mailbox = mailbox_of(gone)
    with pytest.raises(MailboxUnreachableError):
        list(mailbox.letters(largest_in_bytes=LARGEST))
    with pytest.raises(MailboxUnreachableError):
        mailbox.file(Letter("1", b""), Folder.DONE)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("imaps://b%40x@mail.example.edu/", ("mail.example.edu", 993, "b@x", "INBOX", "imaps")),
        (
            "imap+starttls://b@mail.example.edu:1143/Bounces",
            ("mail.example.edu", 1143, "b", "Bounces", "imap+starttls"),
        ),
        ("imap://b@127.0.0.1", ("127.0.0.1", 143, "b", "INBOX", "imap")),
    ],
)
def test_the_url_says_where(url: str, expected: tuple[object, ...]) -> None:
    options = ImapOptions.of_url(url, password="x", timeout_in_seconds=5)
    assert (options.host, options.port, options.username, options.folder, options.scheme) == expected


@pytest.mark.parametrize("url", ["imap://b@mail.example.edu", "imaps://mail.example.edu", "pop3://b@x", "nonsense"])
def test_a_url_that_is_none_or_would_sign_in_without_tls_is_refused(url: str) -> None:
    with pytest.raises(MailboxRefusedError, match="CRM_BOUNCE_MAILBOX_URL"):
        ImapOptions.of_url(url, password="x", timeout_in_seconds=5)
