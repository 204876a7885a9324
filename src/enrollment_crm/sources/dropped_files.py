"""Dropped files: JSON as Slate writes it, and everything else as delimited text."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from enrollment_crm.sources.delimited import rows_of
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.json_documents import read_json, rows_in


def read_dropped(file: Path) -> Iterable[Mapping[str, Any]]:
    """All rows of a dropped file, by column name; an entry that is no row comes back with a note of that.

    Delimited text is read as its rows are asked for, and so may be larger than the memory.

    Raises:
        FeedUnreadableError: the file is empty, a workbook or an archive, or JSON that holds no rows.
    """
    return _json_rows(file) if file.suffix.lower() == ".json" else rows_of(file)


def _json_rows(file: Path) -> list[dict[str, Any]]:
    rows = rows_in(read_json(file.read_bytes()))
    if rows is None:
        raise FeedUnreadableError(
            f'{file.name} is no JSON with a list of rows, or {{"row": [...]}}: ask for the export again.'
        )
    return rows
