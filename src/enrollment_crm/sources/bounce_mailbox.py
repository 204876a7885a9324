"""The bounce mailbox: where everything lands that mail systems and readers send back. Read here, judged elsewhere.

A letter stays where it is until what it says is committed; only then it is filed. Whoever dies in between reads it
again, and the database recognises it. Nothing is ever deleted, and nothing is answered.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

#: The flag of a file name in cur/ that says: seen.
_SEEN = ":2,S"
#: Letters that one error names.
_MOST_NAMED = 5


class Folder(StrEnum):
    """Where a letter is filed, once what it says is committed. A folder beside the inbox of the mailbox."""

    #: It was a report or an automatic reply, and has been taken in.
    DONE = "done"
    #: A person wrote: operations read it here. It is forwarded to nobody and answered by nobody.
    REPLIES = "replies"
    #: A report that nothing of ours vouches for. It changed nothing.
    FORGED = "forged"
    #: Nobody could make sense of it: have a look.
    UNREADABLE = "unreadable"


class MailboxError(Exception):
    """The bounce mailbox cannot be read. Nothing was lost: letters stay where they are until they are taken in."""

    #: What had been taken in before that, by count.
    counts: Mapping[str, int] = MappingProxyType({})


class MailboxUnreachableError(MailboxError):
    """The bounce mailbox does not answer. A retry helps; nothing was lost."""


class BrokenLettersError(MailboxError):
    """Some letters of the bounce mailbox cannot be read or filed; all others were. Look at those that are named."""

    def __init__(self, mailbox: str, broken: Mapping[str, str]) -> None:
        names = ", ".join(f"{key} ({why})" for key, why in list(broken.items())[:_MOST_NAMED])
        more = f" and {len(broken) - _MOST_NAMED} more" if len(broken) > _MOST_NAMED else ""
        super().__init__(
            f"Of the {mailbox.replace('_', ' ')} these letters cannot be read or filed: {names}{more}. All others were "
            "taken in. Look at these, and move them out of the inbox."
        )


class MailboxRefusedError(MailboxError):
    """The bounce mailbox refuses us: correct CRM_BOUNCE_MAILBOX_URL or its password. A retry does not help."""


@dataclass(frozen=True)
class Letter:
    """One letter as it lies in the mailbox. pii: the content is mail of people and about people."""

    #: What the mailbox calls it: a file name, a UID.
    key: str
    #: Its bytes, or the first of them: as many as were asked for.
    content: bytes


class BounceMailbox(Protocol):
    """A mailbox that can be read and put in order."""

    @property
    def name(self) -> str:
        """What feedback from it is called in the database."""

    def letters(self, *, largest_in_bytes: int) -> Iterator[Letter]:
        """What waits in the inbox, oldest first, each read when it is asked for and no further than so far.

        Raises:
            BrokenLettersError: after the last letter, where some could not be read.
            MailboxError: the mailbox cannot be read.
        """

    def file(self, letter: Letter, folder: Folder) -> None:
        """Put a letter where it belongs; one that somebody else has filed already is no error.

        Raises:
            MailboxError: it cannot be put there, and stays where it is.
        """

    def close(self) -> None:
        """Let go of it."""


class MaildirMailbox:
    """A Maildir on this machine, with its folders as sub-folders (Maildir++). Safe for several readers.

    Args:
        directory: holds ``new``, ``cur`` and ``tmp``, as the mail system makes them.
    """

    def __init__(self, directory: Path, *, name: str = "bounce_mailbox") -> None:
        self._directory = directory
        self.name = name

    def letters(self, *, largest_in_bytes: int) -> Iterator[Letter]:
        """What waits in ``new/`` and ``cur/``, by the time in its name."""
        inbox = [self._directory / "cur", self._directory / "new"]
        if not all(folder.is_dir() for folder in inbox):
            raise MailboxRefusedError(
                "The bounce mailbox is no Maildir: CRM_BOUNCE_MAILBOX_URL names a folder without new/ and cur/."
            )
        try:
            waiting = sorted((path for folder in inbox for path in folder.iterdir()), key=lambda path: path.name)
        except OSError as error:
            raise MailboxUnreachableError(
                f"The folder of the bounce mailbox cannot be listed: {error.strerror}."
            ) from error
        broken: dict[str, str] = {}
        for path in waiting:
            key = str(path.relative_to(self._directory))
            try:
                content = _read(path, largest_in_bytes)
            except OSError as error:
                broken[key] = error.strerror or type(error).__name__
                continue
            if content is not None:
                yield Letter(key, content)
        if broken:
            raise BrokenLettersError(self.name, broken)

    def file(self, letter: Letter, folder: Folder) -> None:
        """Move its file, in one step; on the disk before this returns."""
        try:
            self._file(letter, folder)
        except OSError as error:
            raise MailboxUnreachableError(
                f"A letter of the bounce mailbox cannot be moved to {folder.value}: {error.strerror}."
            ) from error

    def _file(self, letter: Letter, folder: Folder) -> None:
        target = self._directory / f".{folder.value}"
        for part in ("tmp", "new", "cur"):
            (target / part).mkdir(parents=True, exist_ok=True)
        (target / "maildirfolder").touch()
        unique_name = Path(letter.key).name.partition(":")[0]
        try:
            (self._directory / letter.key).replace(target / "cur" / f"{unique_name}{_SEEN}")
        except FileNotFoundError:
            return
        _sync(target / "cur")

    def close(self) -> None:
        """Nothing is held."""


def _read(path: Path, largest_in_bytes: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(largest_in_bytes)
    except (FileNotFoundError, IsADirectoryError):
        return None  # another reader has filed it


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
