"""Dropped files: JSON as Slate writes it, workbooks, and everything else as delimited text."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from enrollment_crm.sources.delimited import rows_of
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.json_documents import read_json, rows_in
from enrollment_crm.sources.workbooks import read_workbook

_WORKBOOKS = (".xlsx", ".xlsm")


def read_dropped(file: Path, sheet: str = "") -> Iterable[Mapping[str, Any]]:
    """All rows of a dropped file, by column name; an entry that is no row comes back with a note of that.

    Delimited text and workbooks are read as their rows are asked for, and so may be larger than the memory.

    Args:
        sheet: of a workbook; empty: it has one.

    Raises:
        FeedUnreadableError: the file is empty, an archive, a workbook that cannot be read, or JSON that holds no rows.
    """
    if file.suffix.lower() in _WORKBOOKS:
        return read_workbook(file, sheet)
    return _json_rows(file) if file.suffix.lower() == ".json" else rows_of(file)


def _json_rows(file: Path) -> list[dict[str, Any]]:
    rows = rows_in(read_json(file.read_bytes()))
    if rows is None:
        raise FeedUnreadableError(
            f'{file.name} is no JSON with a list of rows, or {{"row": [...]}}: ask for the export again.'
        )
    return rows
