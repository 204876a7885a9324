"""Delimited text files as other people's programs write them: every data row comes back, none is lost.

A row that cannot be read properly comes back too, with a note under ``DAMAGE_NOTE`` that a rule rejects.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeAlias

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.headers import split_head

_DELIMITERS = (",", ";", "\t", "|")
_LARGEST_CELL_IN_CHARACTERS = 64 * 1024 * 1024
#: A quoted cell over more lines than this is a quote that nobody closed.
_LONGEST_ROW_IN_LINES = 200
_SAMPLE_IN_BYTES = 64 * 1024
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: UTF-16 without a mark is told by NUL bytes, which then stand in every second place (of Latin text).
_MANY, _FEW = 0.3, 0.05
#: The cells of a row, and what is wrong with its quotes.
_Record: TypeAlias = tuple[list[str], str | None]
_WORKBOOKS_AND_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")


def read_delimited(file: Path) -> list[dict[str, str]]:
    """All data rows of the file, by column name.

    Encoding (UTF-8, UTF-16, UTF-32, else Windows-1252) and delimiter (``sep=`` line, else the commonest in
    the header) are found out. A column without a name is ``column 3``, a second ``Email`` is ``Email (2)``.

    Raises:
        FeedUnreadableError: the file is empty, without a header, a workbook or an archive.
    """
    return list(rows_of(file))


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    """Like ``read_delimited``, one row at a time: for files larger than the memory."""
    csv.field_size_limit(_LARGEST_CELL_IN_CHARACTERS)
    with file.open(encoding=_encoding_of(file), errors="replace", newline="") as text:
        delimiter = _delimiter_of(text)
        records = _records(text, delimiter)
        filled = (record for record in records if any(cell.strip() for cell in record[0]))
        # A title that a spreadsheet program writes has the commas of its row.
        (header, _), below = split_head(filled, _texts, name=file.name, can_be_title=lambda one: len(one[0]) > 1)
        names = column_names(header)
        for cells, damage in chain(below, filled):
            yield _row(names, cells, damage)


def _texts(record: _Record) -> list[str]:
    return [text for cell in record[0] if (text := cell.strip())]


class _RowTooLongError(Exception):
    """A quoted cell goes on and on: nobody closed the quote."""


class _Lines:
    """The lines of a file; remembers those of the row being read, to read all but its first again."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: list[str] = []
        self._row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._row) >= _LONGEST_ROW_IN_LINES:
            raise _RowTooLongError
        line = self._again.pop() if self._again else next(self._text)
        self._row.append(line)
        return line

    def row_is_read(self) -> None:
        self._row.clear()

    def give_up_row(self) -> str:
        """The first line of the row; the others are read again as rows of their own."""
        first, *others = self._row
        self._again.extend(reversed(others))
        self._row.clear()
        return first


def _records(text: TextIO, delimiter: str) -> Iterator[_Record]:
    """The cells of each row, and what is wrong with its quotes. A stray quote costs one row, not the rest."""
    lines = _Lines(text)
    while True:
        try:
            for cells in csv.reader(lines, delimiter=delimiter, strict=True):
                lines.row_is_read()
                yield cells, None
        except (csv.Error, _RowTooLongError):
            cells = lines.give_up_row().rstrip("\r\n").split(delimiter)
            yield cells, "a quotation mark is not closed or not doubled"
        else:
            return


def _row(names: list[str], cells: list[str], damage: str | None) -> dict[str, str]:
    row = dict(zip(names, cells, strict=False))
    surplus = {f"column {number}": cell for number, cell in enumerate(cells, 1) if number > len(names) and cell}
    if surplus or len(cells) < len(names):
        damage = damage or f"{len(cells)} cells under {len(names)} headings"
    return {**row, **surplus, DAMAGE_NOTE: damage} if damage else row


def column_names(header: list[str]) -> list[str]:
    """The names of columns: one without is ``column 3``, a second ``Email`` is ``Email (2)``."""
    names: list[str] = []
    for number, cell in enumerate(header, 1):
        name = cell.strip(" \t\r\n\0\ufeff") or f"column {number}"
        same = sum(1 for other in names if other == name or other.startswith(f"{name} ("))
        names.append(f"{name} ({same + 1})" if name in names else name)
    return names


def _delimiter_of(text: TextIO) -> str:
    """The delimiter of the file, which is then at its header."""
    first = next((line for line in text if line.strip()), "").strip()
    stated = re.fullmatch(r'"?sep=(.)"?', first, re.IGNORECASE)
    if stated and not (stated[1].isalnum() or stated[1] in '"\\ '):
        return stated[1]
    if first.strip('"').lower() == "sep=":
        return "\t"  # a tab at the end of the line is gone by now
    text.seek(0)
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(_DELIMITERS, key=unquoted.count)


def _encoding_of(file: Path) -> str:
    with file.open("rb") as content:
        sample = content.read(_SAMPLE_IN_BYTES)
    if sample.startswith(_WORKBOOKS_AND_ARCHIVES):
        raise FeedUnreadableError(f"{file.name} is a workbook or an archive: save it as CSV (UTF-8) and drop that.")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    return _unmarked_utf16(sample) or _utf8_or_windows(file)


def _unmarked_utf16(sample: bytes) -> str | None:
    pairs = len(sample) // 2 or 1
    first, second = sample[::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if second > _MANY and first < _FEW:
        return "utf-16-le"
    return "utf-16-be" if first > _MANY and second < _FEW else None


def _utf8_or_windows(file: Path) -> str:
    """UTF-8 unless most of what is not ASCII is none: a few bad bytes must not garble every other name."""
    good = bad = 0
    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        while chunk := text.read(1024 * 1024):
            if not chunk.isascii():
                unreadable = chunk.count("\ufffd")
                bad += unreadable
                good += len(chunk) - len(chunk.encode("ascii", "ignore")) - unreadable
    return "cp1252" if bad > good else "utf-8"
