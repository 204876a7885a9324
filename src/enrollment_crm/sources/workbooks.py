"""Workbooks (XLSX) that people drop: the rows of one sheet, values as they are seen, one row at a time."""

import errno
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Container, Iterable, Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.escape import unescape

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.delimited import column_names
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.headers import plain_name, split_head

_PROTECTED_OR_OLD = b"\xd0\xcf\x11\xe0"
_ARCHIVE = b"PK\x03\x04"
_MEBIBYTE = 1024**2
#: Unpacked. A million rows of forty columns have about a gigabyte.
_MOST_BYTES = 2_048 * _MEBIBYTE
#: The texts that cells share are held in memory.
_MOST_SHARED_BYTES = 256 * _MEBIBYTE
_MOST_PARTS = 10_000
#: That is how many a sheet has.
_MOST_ROWS = 1_048_576
_PIECE_IN_BYTES = _MEBIBYTE
#: Whatever a damaged part makes the libraries stumble over; a place that cannot be is an OSError (EINVAL) besides.
_STUMBLES = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, RuntimeError, SyntaxError,
    TypeError, ValueError, lzma.LZMAError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_SHARED = "xl/sharedStrings.xml"
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_ROW = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r=[\"']([^\"'>]*)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]+\d+:[A-Z]+\d+)\"")
#: Longer than any tag that is looked for: one may lie across two pieces.
_OVERLAP_IN_BYTES = 200
#: A formula stands there whose result nobody has saved.
_UNSAVED = object()

#: First row, last row and first column (from 1) of cells that were merged, with the last column.
_Merged = tuple[int, int, int, int]


def read_workbook(file: Path, sheet: str = "", columns: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """All data rows of a sheet, by column name.

    The header is the first row with more than one cell: a few titles above it are passed over. Merged cells say the
    same in each row that they cover. A date is text in ISO 8601; a formula is its saved result, and a row with one that
    was never saved comes back with a note under ``DAMAGE_NOTE``.

    Args:
        sheet: its name; empty: the workbook has one that is not hidden.
        columns: names that the source's columns are known to have.

    Raises:
        FeedUnreadableError: it is protected, broken, far too big or without a header, or it is not clear which sheet
            is meant.
    """
    try:
        _check(file)
        yield from _rows_of_file(file, sheet, frozenset(map(plain_name, columns)))
    except (*_STUMBLES, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        # Its words may quote cells.
        raise FeedUnreadableError(
            f"{file.name} is damaged: open it in a spreadsheet program, save it anew as .xlsx and drop that."
        ) from None


def _check(file: Path) -> None:
    with file.open("rb") as content:
        start = content.read(len(_ARCHIVE))
    if start == _PROTECTED_OR_OLD:
        raise FeedUnreadableError(
            f"{file.name} is protected by a password, or of the format before 2007: save it as .xlsx without a "
            "password, or as CSV (UTF-8), and drop that."
        )
    if start != _ARCHIVE:
        raise FeedUnreadableError(
            f"{file.name} is no workbook, whatever its name says: drop it under a name that ends in .csv if it is a "
            "table of text, or ask for the export again."
        )
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise FeedUnreadableError(f"{file.name} breaks off or is damaged: ask for the export again.") from None
    shared = sum(part.file_size for part in parts if part.filename == _SHARED)
    # An archive gives no more than it declares, so what it declares is the limit.
    if len(parts) > _MOST_PARTS or shared > _MOST_SHARED_BYTES or sum(p.file_size for p in parts) > _MOST_BYTES:
        raise FeedUnreadableError(
            f"{file.name} unpacks to more than a workbook of applicants can hold: save it as CSV (UTF-8) and drop that."
        )
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise FeedUnreadableError(f"{file.name} is an archive and no workbook: unpack it and drop what is inside.")


def _rows_of_file(file: Path, sheet: str, known: Container[str]) -> Iterator[dict[str, Any]]:
    with closing(load_workbook(file, read_only=True, data_only=True)) as workbook:
        name = _sheet_name(file, workbook, sheet)
        found = _sheet(workbook, name)
        has_formulas, merged = _what_it_holds(file, found)
        if not has_formulas:
            yield from _rows(file, _filled(_values(found), merged), known)
            return
        # A second look at the same cells shows where a formula stands.
        with closing(load_workbook(file, read_only=True, data_only=False)) as formulas:
            values = zip(_values(found), _values(_sheet(formulas, name)), strict=False)
            yield from _rows(file, _filled(map(_with_unsaved, values), merged), known)


def _sheet_name(file: Path, workbook: Any, sheet: str) -> str:
    visible = [one.title for one in workbook.worksheets if one.sheet_state == "visible"]
    if len(visible) > 1 and not sheet:  # programs add empty ones
        visible = [name for name in visible if any(map(_filled_in, _values(_sheet(workbook, name))))]
    if sheet and sheet not in workbook.sheetnames:
        raise FeedUnreadableError(
            f"{file.name} has no sheet {sheet!r}, it has {', '.join(visible)}: correct sheet in config/sources/."
        )
    if not sheet and len(visible) != 1:
        raise FeedUnreadableError(
            f"{file.name} has the sheets {', '.join(visible) or '(all hidden)'}: name one as sheet in config/sources/, "
            "or drop a workbook that has one."
        )
    return sheet or visible[0]


def _sheet(workbook: Any, name: str) -> Any:
    sheet = workbook[name]
    # Programs write wrong sizes into workbooks: all cells that are there count.
    sheet.reset_dimensions()
    return sheet


def _what_it_holds(file: Path, sheet: Any) -> tuple[bool, list[_Merged]]:
    """Whether there are formulas, and what is merged: the reader that saves memory tells neither."""
    has_formulas, merged, before = False, set[_Merged](), b""
    begins, last = 0, (0, 0)
    with zipfile.ZipFile(file) as archive, archive.open(sheet._worksheet_path) as content:
        while piece := content.read(_PIECE_IN_BYTES):
            text = before + piece
            if _STRICT in text:
                raise FeedUnreadableError(
                    f"{file.name} is a Strict Open XML workbook: save it as Excel Workbook (.xlsx) and drop that."
                )
            last = _last_row(text, begins - len(before), last)
            begins += len(piece)
            has_formulas = has_formulas or _FORMULA.search(text) is not None
            for found in _MERGED.finditer(text):
                left, top, right, bottom = (side or 0 for side in range_boundaries(found[1].decode()))
                merged.add((top, bottom, left, right))
            before = text[-_OVERLAP_IN_BYTES:]
    return has_formulas, sorted(merged)


def _last_row(text: bytes, begins: int, last: tuple[int, int]) -> tuple[int, int]:
    """The number of the last row, and where its tag ends. The reader drops a row whose number is no greater than one
    before it without a word, so that is damage.

    Args:
        begins: where in the sheet the text begins.
        last: the same of the text before, which may overlap.
    """
    number, end = last
    for found in _ROW.finditer(text, max(0, end - begins)):
        before, number = number, int(found[1]) if found[1].isdigit() else 0
        if number <= before:
            raise ValueError("Its rows are not in the order of their numbers.")  # caught above: it is damaged
        end = begins + found.end()
    return number, end


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet. Where numbers are left out, as many empty rows come: a row may say that it is any one."""
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        if number > _MOST_ROWS:
            raise ValueError("Its rows have numbers that no sheet has.")  # caught above: it is damaged
        yield cells


def _with_unsaved(both: tuple[tuple[Any, ...], tuple[Any, ...]]) -> tuple[Any, ...]:
    values, formulas = both
    return tuple(
        _UNSAVED if value is None and formula is not None else value
        for value, formula in zip(values, formulas, strict=False)
    )


def _filled(rows: Iterator[tuple[Any, ...]], merged: list[_Merged]) -> Iterator[tuple[Any, ...]]:
    """The rows with each merged value in every row that it covers; beside it, it stands once."""
    ahead, under = list(reversed(merged)), dict[int, tuple[int, Any]]()
    for number, cells in enumerate(rows, 1):
        while ahead and ahead[-1][0] <= number:
            top, bottom, left, _ = ahead.pop()
            if top == number and bottom > top and left <= len(cells):
                under[left] = (bottom, cells[left - 1])
        under = {column: one for column, one in under.items() if one[0] >= number}
        if under and any(cell is not None for cell in cells):
            wide = [*cells, *repeat(None, max(0, max(under) - len(cells)))]
            for column, (_, value) in under.items():
                wide[column - 1] = value
            cells = tuple(wide)  # noqa: PLW2901 - the row as it is seen
        yield cells


def _rows(file: Path, rows: Iterator[tuple[Any, ...]], known: Container[str]) -> Iterator[dict[str, Any]]:
    filled = (cells for cells in rows if _filled_in(cells))
    head, below = split_head(filled, _filled_in, name=file.name, known=known)
    names = column_names([str(_text(cell) or "") for cell in _without_end(head)])
    yield from (_row(names, cells) for cells in chain(below, filled))


def _filled_in(cells: tuple[Any, ...]) -> list[str]:
    return [str(_text(cell)) for cell in cells if cell is _UNSAVED or _text(cell) not in (None, "")]


def _without_end(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    last = max((number for number, cell in enumerate(cells, 1) if cell is not None), default=0)
    return cells[:last]


def _row(names: list[str], cells: tuple[Any, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {name: _text(cell) for name, cell in zip(names, cells, strict=False)}
    surplus = {f"column {n}": _text(cell) for n, cell in enumerate(cells, 1) if n > len(names) and cell is not None}
    unsaved = [name for name, cell in zip(names, cells, strict=False) if cell is _UNSAVED]
    if surplus:
        return {**row, **surplus, DAMAGE_NOTE: f"{len(names) + len(surplus)} cells under {len(names)} headings"}
    if unsaved:
        return {**row, DAMAGE_NOTE: "a formula has no saved result: open the workbook, save it, and drop it again"}
    return row


def _text(cell: Any) -> Any:
    """What JSON can hold: numbers, texts and yes or no stay; a time becomes ISO 8601, a midnight its day."""
    if cell is _UNSAVED:
        return None
    if isinstance(cell, str):
        return unescape(cell) if "_x" in cell else cell
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, Decimal | timedelta):
        return str(cell)
    return cell
