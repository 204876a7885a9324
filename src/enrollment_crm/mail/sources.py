"""The files that marketing edits, as read: nothing is understood here, only found."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from enrollment_crm.mail.problems import TemplateErrors, TemplateProblem

BASE_FOLDER = "_base"
PEOPLE_FOLDER = "_people"


@dataclass(frozen=True)
class SourceFile:
    """One file with its text; knows line and column of each character."""

    path: Path
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(offset + 1 for offset, character in enumerate(self.text) if character == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset_of_line(self, line: int) -> int:
        """Where a line begins."""
        return self._line_starts[min(line, len(self._line_starts)) - 1]

    def problem(self, offset: int, what: str, remedy: str) -> TemplateProblem:
        """A problem at a character of this file."""
        return TemplateProblem(str(self.path), *self.position(offset), what, remedy)


@dataclass(frozen=True)
class EmailSources:
    """The files of one email."""

    name: str
    subject: SourceFile
    mjml: SourceFile
    text: SourceFile
    manifest: SourceFile

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """All of them."""
        return self.subject, self.mjml, self.text, self.manifest


@dataclass(frozen=True)
class BaseSources:
    """The files that all emails share."""

    mjml: SourceFile
    text: SourceFile
    manifest: SourceFile

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """All of them."""
        return self.mjml, self.text, self.manifest


@dataclass(frozen=True)
class TemplateFolder:
    """Everything under ``templates/email``."""

    directory: Path
    base: BaseSources
    emails: tuple[EmailSources, ...]


def read_folder(directory: Path) -> TemplateFolder:
    """Read the whole folder.

    Raises:
        TemplateErrors: a file is missing or is not UTF-8, or there is no email at all.
    """
    reader = _Reader()
    base_folder = directory / BASE_FOLDER
    base = [reader.read(base_folder / name) for name in ("layout.mjml", "layout.txt", "base.yml")]
    names = sorted(folder.name for folder in directory.glob("[!_.]*") if folder.is_dir())
    emails = [_read_email(directory / name, reader) for name in names]
    if not names:
        reader.problems.append(_missing(directory, "There is no email in this folder.", "Add one (docs/how-to)."))
    if reader.problems:
        raise TemplateErrors(reader.problems)
    return TemplateFolder(directory, BaseSources(*base), tuple(emails))


def version_of(base: BaseSources, email: EmailSources) -> str:
    """The version of an email: 12 hexadecimal digits over all the files that make it."""
    digest = hashlib.sha256()
    for file in (*base.files, *email.files):
        digest.update(f"{file.path.parent.name}/{file.path.name}\0{len(file.text)}\0{file.text}".encode())
    return digest.hexdigest()[:12]


def read_files(paths: Iterator[Path]) -> list[SourceFile]:
    """Read some files.

    Raises:
        TemplateErrors: one is missing or is not UTF-8.
    """
    reader = _Reader()
    files = [reader.read(path) for path in paths]
    if reader.problems:
        raise TemplateErrors(reader.problems)
    return files


def _read_email(folder: Path, reader: "_Reader") -> EmailSources:
    files = [reader.read(folder / name) for name in ("subject.txt", "body.mjml", "body.txt", "email.yml")]
    return EmailSources(folder.name, *files)


class _Reader:
    """Reads on after a missing file, so that all problems are told at once."""

    def __init__(self) -> None:
        self.problems: list[TemplateProblem] = []

    def read(self, path: Path) -> SourceFile:
        try:
            return SourceFile(path, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.problems.append(_missing(path, "This file is missing.", "Add it; an email is made of four files."))
        except UnicodeDecodeError:
            self.problems.append(_missing(path, "This file is not UTF-8.", "Save it as UTF-8."))
        return SourceFile(path, "")


def _missing(path: Path, what: str, remedy: str) -> TemplateProblem:
    return TemplateProblem(str(path), 1, 1, what, remedy)
