"""A bounce mailbox on an IMAP server, over TLS."""

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from enrollment_crm.sources.bounce_mailbox import (
    BrokenLettersError,
    Folder,
    Letter,
    MailboxRefusedError,
    MailboxUnreachableError,
)

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
#: Standard ports; the second scheme begins in the clear and turns to TLS before it signs in.
_PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}
_UID = re.compile(rb"\d+")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class ImapOptions:
    """Where the mailbox is and how to sign in. The password is no part of any error."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    #: ``imaps``, ``imap+starttls``, or ``imap``: in the clear, on this machine only.
    scheme: str = "imaps"
    timeout_in_seconds: float = 30
    #: None: the certificate authorities of this machine.
    tls: ssl.SSLContext | None = None

    @classmethod
    def of_url(cls, url: str, *, password: str, timeout_in_seconds: float) -> "ImapOptions":
        """Read ``imaps://user@host:993/INBOX``.

        Raises:
            MailboxRefusedError: it names no host or user, or would sign in over the network in the clear.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or not parts.username:
            raise MailboxRefusedError(
                "CRM_BOUNCE_MAILBOX_URL cannot be read: write imaps://user@host/INBOX or maildir:/folder."
            )
        if parts.scheme == "imap" and parts.hostname not in _LOOPBACK:
            raise MailboxRefusedError(
                "CRM_BOUNCE_MAILBOX_URL would sign in without TLS: write imaps:// or imap+starttls://."
            )
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username),
            password=password,
            folder=unquote(parts.path.strip("/")) or "INBOX",
            scheme=parts.scheme,
            timeout_in_seconds=timeout_in_seconds,
        )


class ImapMailbox:
    """Letters by UID. The connection is made when it is first needed, and made anew after it broke."""

    def __init__(self, options: ImapOptions, *, name: str = "bounce_mailbox") -> None:
        self._options = options
        self._session: imaplib.IMAP4 | None = None
        self.name = name

    def letters(self, *, largest_in_bytes: int) -> Iterator[Letter]:
        """What waits in the folder, by UID; no flag of it is changed by reading."""
        broken, was_lost = dict[str, str](), False
        for uid in self._asked(self._waiting):
            try:
                content = self._asked(partial(_fetch, uid=uid, largest_in_bytes=largest_in_bytes))
            except MailboxUnreachableError as error:
                is_lost = self._session is None
                if was_lost and is_lost:
                    raise  # it is not the letter
                was_lost = is_lost
                broken[f"UID {uid}"] = str(error).rstrip(".")
                continue
            was_lost = False
            if content is not None:
                yield Letter(uid, content)
        if broken:
            raise BrokenLettersError(self.name, broken)

    def file(self, letter: Letter, folder: Folder) -> None:
        """Move it to a folder of this name, which is made where there is none."""
        self._asked(lambda session: _move(session, letter.key, folder.value))

    def close(self) -> None:
        """Sign out. Nothing is expunged that was not moved."""
        session, self._session = self._session, None
        if session is not None:
            try:
                session.logout()
            except (OSError, imaplib.IMAP4.error):
                return  # it is gone already

    def _waiting(self, session: imaplib.IMAP4) -> list[str]:
        found = _ok(session.uid("SEARCH", "UNDELETED"), "SEARCH")
        uids = _UID.findall(b" ".join(part for part in found if isinstance(part, bytes)))
        return [uid.decode() for uid in sorted(uids, key=int)]

    def _asked(self, question: Callable[[imaplib.IMAP4], _Answer]) -> _Answer:
        try:
            if self._session is None:
                self._session = self._signed_in()
            return question(self._session)
        except imaplib.IMAP4.abort as error:
            self._session = None
            raise MailboxUnreachableError("The IMAP server of the bounce mailbox broke the connection off.") from error
        except imaplib.IMAP4.error as error:
            raise MailboxUnreachableError("The IMAP server of the bounce mailbox refused a command.") from error
        except OSError as error:
            self._session = None
            raise MailboxUnreachableError(
                f"The IMAP server of the bounce mailbox does not answer ({type(error).__name__})."
            ) from error

    def _signed_in(self) -> imaplib.IMAP4:
        options = self._options
        session = self._connected()
        try:
            session.login(options.username, options.password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:  # its words may repeat what was sent
            raise MailboxRefusedError(MailboxRefusedError.__doc__) from None
        kind, _ = session.select(_quoted(options.folder))
        if kind != "OK":
            raise MailboxRefusedError("The folder of CRM_BOUNCE_MAILBOX_URL is not there, or not ours to change.")
        return session

    def _connected(self) -> imaplib.IMAP4:
        options = self._options
        tls = options.tls or ssl.create_default_context()
        if options.scheme == "imaps":
            return imaplib.IMAP4_SSL(options.host, options.port, ssl_context=tls, timeout=options.timeout_in_seconds)
        session = imaplib.IMAP4(options.host, options.port, timeout=options.timeout_in_seconds)
        if options.scheme == "imap+starttls":
            session.starttls(tls)
        return session


def _fetch(session: imaplib.IMAP4, uid: str, largest_in_bytes: int) -> bytes | None:
    parts = _ok(session.uid("FETCH", uid, f"(BODY.PEEK[]<0.{largest_in_bytes}>)"), "FETCH")
    content = next((part[1] for part in parts if isinstance(part, tuple)), None)
    return content if isinstance(content, bytes) else None  # None: somebody else has filed it


def _move(session: imaplib.IMAP4, uid: str, folder: str) -> None:
    name = _quoted(folder)
    session.create(name)  # NO: it is there
    if "MOVE" in session.capabilities:
        _ok(session.uid("MOVE", uid, name), "MOVE")
        return
    # Copied, then marked, then expunged: whoever dies in between has two copies, and the database knows the letter.
    _ok(session.uid("COPY", uid, name), "COPY")
    _ok(session.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen \Deleted)"), "STORE")
    if "UIDPLUS" in session.capabilities:
        _ok(session.uid("EXPUNGE", uid), "EXPUNGE")


def _ok(answer: tuple[str, list[Any]], command: str) -> list[Any]:
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(f"{command} was answered with {kind}")
    return data


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
