"""Dropped files: JSON as Slate writes it, JSON Lines, workbooks, and everything else as delimited text."""

import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.domain.sources import Layout
from enrollment_crm.sources.delimited import rows_of
from enrollment_crm.sources.encodings import encoding_of
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.json_documents import ENTRY, read_json, row_of_line, rows_in
from enrollment_crm.sources.workbooks import read_workbook

_WORKBOOKS = (".xlsx", ".xlsm")
_JSON_LINES = (".jsonl", ".ndjson")
#: Where none of so many lines is an object, the file is no JSON Lines, and nothing of it is kept.
_LINES_LOOKED_AT = 100

_UNKNOWN = Layout()

_Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Dropped:
    """What a dropped file holds."""

    #: Taking them may raise ``FeedUnreadableError``.
    rows: Iterable[Mapping[str, Any]]
    #: The encoding that its text was taken for; empty: there is no doubt.
    assumed_encoding: str = ""


def read_dropped(file: Path, layout: Layout = _UNKNOWN) -> Dropped:
    """All rows of a dropped file, by column name; an entry that is no row comes back with a note of that.

    Delimited text, JSON Lines and workbooks are read as their rows are asked for, and so may be larger than the memory.
    A line of JSON Lines that is no object comes back with a note of its number.

    Args:
        layout: what is known of the files of its source.

    Raises:
        FeedUnreadableError: the file is empty, an archive, a workbook that cannot be read, JSON that holds no rows, or
            not in the encoding that is stated.
        FileNotFoundError: another worker was faster.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise FeedUnreadableError(f"{file.name} is a folder or a pipe: name a file, which is read more than once.")
    ending = file.suffix.lower()
    if ending in _WORKBOOKS:
        return Dropped(read_workbook(file, layout.sheet, layout.columns))
    name, assumed = encoding_of(file, layout.encoding)
    if ending in _JSON_LINES:
        return Dropped(_line_rows(file, name), assumed)
    return Dropped(_json_rows(file, name) if ending == ".json" else rows_of(file, name, layout.columns), assumed)


def _json_rows(file: Path, encoding: str) -> list[_Row]:
    with _opened(file, encoding) as text:
        content = text.read().lstrip("\ufeff")
    document = read_json(content)
    if document is None and isinstance(read_json(content.partition("\n")[0]), dict):
        return list(_line_rows(file, encoding))  # many programs call JSON Lines .json
    rows = rows_in(document)
    if rows is None:
        raise FeedUnreadableError(
            f'{file.name} is no JSON with a list of rows, or {{"row": [...]}}: ask for the export again.'
        )
    return rows


def _line_rows(file: Path, encoding: str) -> Iterator[_Row]:
    """The rows of JSON Lines; a file of this name that is one document of JSON is read as that."""
    with _opened(file, encoding) as text:
        rows = (row_of_line(line, number) for number, line in enumerate(text, 1) if line.strip())
        head = list(islice(rows, _LINES_LOOKED_AT))
        is_damaged = [ENTRY in row and DAMAGE_NOTE in row for row in head]
        document = _document_in(file, encoding) if len(head) == 1 or any(is_damaged[:1]) else None
        if document is not None:
            yield from document
        elif all(is_damaged):
            raise FeedUnreadableError(
                f'{file.name} is no JSON Lines, none of its first lines is a row such as {{"Email": "..."}}: '
                "ask for the export again, one row a line."
            )
        else:
            yield from chain(head, rows)


def _document_in(file: Path, encoding: str) -> list[_Row] | None:
    with _opened(file, encoding) as text:
        return rows_in(read_json(text.read().lstrip("\ufeff")))


def _opened(file: Path, encoding: str) -> TextIO:
    """The text of a file of JSON; a byte that is none of its encoding costs one letter."""
    return file.open(encoding=encoding, errors="replace")
