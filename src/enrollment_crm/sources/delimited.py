"""Delimited text files as other people's programs write them: every data row comes back, none is lost.

A row that cannot be read properly comes back too, with a note under ``DAMAGE_NOTE`` that a rule rejects.
"""

import csv
import re
from collections.abc import Container, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO, TypeAlias

from enrollment_crm.domain.addresses import is_plausible_address
from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.encodings import encoding_of
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.headers import FEWEST_NAMES, ROWS_LOOKED_AT, names_known, plain_name, split_head

_DELIMITERS = (",", ";", "\t", "|")
_LARGEST_CELL_IN_CHARACTERS = 64 * 1024 * 1024
#: A quoted cell that is longer than this is a quote that nobody closed.
_LONGEST_ROW_IN_CHARACTERS = 4 * 1024 * 1024
#: A spreadsheet has 16,384 columns; what is beyond this is one cell.
_MOST_CELLS = 100_000
#: Around a name: spaces, marks of order and direction, of the end of a file, and what was copied from a page.
_INVISIBLE = " \t\r\n\0\x1a\xa0\ufeff\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
_MARKUP = re.compile(r"\s*<(?:!--|\?xml|(?:!doctype|html|head|body|table)\b)", re.IGNORECASE)
_JSON = re.compile(r"\s*(?:\[\s*[\[{\]]|\[\s*$|\{\s*\"|\{\s*\w+\"|\{\s*$)")
#: Control characters; a header may have line breaks.
_NO_LETTER = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
#: As far as it is looked at.
_LONGEST_HEADER_IN_CHARACTERS = 64 * 1024
#: In the names of one header.
_MOST_BREAKS = 20
#: The cells of a row, and what is wrong with its quotes.
_Record: TypeAlias = tuple[list[str], str | None]
#: Lines that are looked at for the delimiter: a few titles may stand above the header.
_LINES_LOOKED_AT = 8


def read_delimited(file: Path) -> list[dict[str, str]]:
    """All data rows of the file, by column name; the encoding is found out."""
    return list(rows_of(file, encoding_of(file).name))


def rows_of(file: Path, encoding: str, columns: Iterable[str] = ()) -> Iterator[dict[str, str]]:
    """The data rows of the file, by column name, one at a time: for files larger than the memory.

    The delimiter (``sep=`` line, else the commonest in the header) is found out. A column without a name is
    ``column 3``, a second ``Email`` is ``Email (2)``.

    Args:
        columns: names that the source's columns are known to have.

    Raises:
        FeedUnreadableError: the file is empty, or without a header.
    """
    csv.field_size_limit(_LARGEST_CELL_IN_CHARACTERS)
    with file.open(encoding=encoding, errors="replace", newline="") as text:
        known = frozenset(map(plain_name, columns))
        records = _records(text, _delimiter_of(text, known))
        filled = (record for record in records if any(cell.strip(_INVISIBLE) for cell in record[0]))
        # A title that a spreadsheet program writes has the commas of its row.
        (header, _), below = split_head(
            filled, _texts, name=file.name, known=known, can_be_title=lambda one: len(one[0]) > 1
        )
        rows = chain(below, filled)
        first = next(rows, None)
        _check_header(file, header, has_rows=first is not None)
        names, fewest = column_names(header), _last_named(header)
        for cells, damage in chain([first] if first else [], rows):
            # Exports that were put together have one header each.
            again = "the names of the columns stand there again" if cells == header else None
            yield _row(names, cells, damage or again, fewest=fewest)


def _check_header(file: Path, header: list[str], *, has_rows: bool) -> None:
    """What is no table is not taken for one that happens to hold no rows."""
    if _MARKUP.match(header[0]):
        raise FeedUnreadableError(
            f"{file.name} is a web page or XML, whatever its name says: export it as CSV (UTF-8) and drop that."
        )
    if _JSON.match(",".join(header[:2])):
        raise FeedUnreadableError(
            f"{file.name} holds JSON: drop it under a name that ends in .json, or in .jsonl where each line is a row."
        )
    if any(_NO_LETTER.search(cell.strip(_INVISIBLE)) for cell in header):
        raise FeedUnreadableError(
            f"{file.name} has a header with characters that are no text: export it as CSV (UTF-8) and drop that."
        )
    if len(header) == 1 and max(map(header[0].count, _DELIMITERS)) >= FEWEST_NAMES:
        raise FeedUnreadableError(
            f"{file.name} has quotation marks around whole lines, so that each is one cell: ask for the export again, "
            "with marks around cells only."
        )
    if len(header) == 1 and not has_rows:
        raise FeedUnreadableError(
            f"{file.name} is one column and holds no row: ask for the export again, as CSV (UTF-8)."
        )


def _last_named(header: list[str]) -> int:
    """How many cells a row needs: programs leave out empty ones at its end where the header names none."""
    return max((number for number, cell in enumerate(header, 1) if cell.strip(_INVISIBLE)), default=0)


def _texts(record: _Record) -> list[str]:
    return [text for cell in record[0] if (text := cell.strip())]


class _NoRowError(Exception):
    """It is none: a quoted cell goes on and on or holds rows, as nobody closed the quote, or the cells have no end."""


class _Lines:
    """The lines of a file; remembers those of the row being read, to read all but its first again."""

    def __init__(self, text: TextIO, delimiter: str) -> None:
        self._text, self._delimiter = text, delimiter
        self._row: list[str] = []
        self._length = 0
        self._again = list(islice(text, _LINES_LOOKED_AT))
        #: Whether blanks stand between a delimiter and a quotation mark.
        self.have_blanks = any(re.search(rf'"{re.escape(delimiter)} +"', line) for line in self._again)
        self._again.reverse()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._text)
        self._row.append(line)
        self._length += len(line)
        if self._length > _MOST_CELLS and self._is_endless(line):  # so many cells have as many characters
            raise _NoRowError
        return line

    def row_is_read(self, cells: int) -> None:
        """Goes on behind the row.

        Raises:
            _NoRowError: lines of it are rows of as many cells by themselves: a quote before them was not closed.
        """
        if len(self._row) > 1 and any(self._is_row(line, cells) for line in self._row[1:]):
            raise _NoRowError
        self._row.clear()
        self._length = 0

    def _is_endless(self, line: str) -> bool:
        is_open = len(self._row) > 1 and self._length > _LONGEST_ROW_IN_CHARACTERS
        return is_open or line.count(self._delimiter) > _MOST_CELLS

    def _is_row(self, line: str, cells: int) -> bool:
        found = line.split(self._delimiter)
        return len(found) == cells and any(is_plausible_address(one.strip()) for one in found)

    def give_up_row(self) -> str:
        """The first line of the row; the others are read again as rows of their own."""
        first, *others = self._row
        self._again.extend(reversed(others))
        self._row.clear()
        self._length = 0
        return first


def _records(text: TextIO, delimiter: str) -> Iterator[_Record]:
    """The cells of each row, and what is wrong with its quotes. A stray quote costs one row, not the rest."""
    lines = _Lines(text, delimiter)
    while True:
        try:
            for cells in csv.reader(lines, delimiter=delimiter, skipinitialspace=lines.have_blanks, strict=True):
                lines.row_is_read(len(cells))
                yield cells, None
        except (csv.Error, _NoRowError):
            cells = lines.give_up_row().rstrip("\r\n").split(delimiter, _MOST_CELLS)
            is_endless = len(cells) > _MOST_CELLS
            yield cells, "it has no end" if is_endless else "a quotation mark is not closed or not doubled"
        else:
            return


def _row(names: list[str], cells: list[str], damage: str | None, *, fewest: int) -> dict[str, str]:
    row = dict(zip(names, cells, strict=False))
    surplus = {f"column {number}": cell for number, cell in enumerate(cells, 1) if number > len(names) and cell}
    if surplus or len(cells) < fewest:
        damage = damage or f"{len(cells)} cells under {len(names)} headings"
    return {**row, **surplus, DAMAGE_NOTE: damage} if damage else row


def column_names(header: list[str]) -> list[str]:
    """The names of columns: one without is ``column 3``, a second ``Email`` is ``Email (2)``."""
    names: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for number, cell in enumerate(header, 1):
        name = free = cell.strip(_INVISIBLE) or f"column {number}"
        while free in names:
            numbers[name] = numbers.get(name, 1) + 1
            free = f"{name} ({numbers[name]})"
        names[free] = None
    return list(names)


def _delimiter_of(text: TextIO, known: Container[str]) -> str:
    """The delimiter of the file, which is then at its header, or at the titles above that."""
    first = next((line for line in text if line.strip()), "").strip()
    stated = re.fullmatch(r'"?sep=(.)"?', first, re.IGNORECASE)
    if stated and not (stated[1].isalnum() or stated[1] in '"\\ '):
        return stated[1]
    if first.strip('"').lower() == "sep=":
        return "\t"  # a tab at the end of the line is gone by now
    text.seek(0)
    head = list(islice(_whole_lines(text), ROWS_LOOKED_AT))
    text.seek(0)
    if named := _most_named(head, known):
        return named
    lines = [_counts(line) for line in head[:_LINES_LOOKED_AT]]
    return _commonest(next(_wide_below_narrow(lines), lines[0])) if lines else _DELIMITERS[0]


def _most_named(lines: Iterable[str], known: Container[str]) -> str | None:
    """The delimiter that makes the most known names of columns out of one of the lines; None: none makes enough."""
    heads = [line[:_LONGEST_HEADER_IN_CHARACTERS] for line in lines]
    counts = {sign: max((names_known(head.split(sign), known) for head in heads), default=0) for sign in _DELIMITERS}
    best = max(_DELIMITERS, key=counts.__getitem__)
    return best if counts[best] >= FEWEST_NAMES else None


def _whole_lines(text: TextIO) -> Iterator[str]:
    """The lines with anything in them; one with a quoted line break is one, unless its quote stays open for long."""
    for line in text:
        whole = line
        for more in islice(text, _MOST_BREAKS if line.count('"') % 2 else 0):
            whole += more
            if whole.count('"') % 2 == 0:
                break
        if whole.strip():
            yield whole


def _counts(line: str) -> dict[str, int]:
    """How often each delimiter stands in a line, outside of quotes; and the sign of addresses, and quotes."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    return {**{one: unquoted.count(one) for one in _DELIMITERS}, **{one: line.count(one) for one in '@"'}}


def _commonest(counts: dict[str, int]) -> str:
    return max(_DELIMITERS, key=counts.__getitem__)


def _wide_below_narrow(lines: list[dict[str, int]]) -> Iterator[dict[str, int]]:
    """A line that has at least twice the cells of the first one, which is a title then, and rows like it below."""
    usual = _commonest(lines[0])
    narrow = lines[0][usual]
    for number, counts in enumerate(lines[1:-1], 1):
        if counts["@"] or counts['"'] % 2 or 0 < narrow <= counts[usual]:
            return  # a person, or a row like the first: the header stands above
        sign = _commonest(counts)
        below = [one for one in lines[number + 1 :] if one[sign] >= counts[sign]]
        if counts[sign] + 1 >= 2 * (narrow + 1) and below and (counts[sign] > 1 or any(one["@"] for one in below)):
            yield counts
