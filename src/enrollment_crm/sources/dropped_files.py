"""Dropped files: JSON as Slate writes it, workbooks, and everything else as delimited text."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.delimited import read_delimited
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.workbooks import read_workbook

_WORKBOOKS = (".xlsx", ".xlsm")


def read_dropped(file: Path, sheet: str = "") -> Iterable[Mapping[str, Any]]:
    """All rows of a dropped file, by column name; an entry that is no row comes back with a note of that.

    Args:
        sheet: of a workbook; empty: it has one.

    Raises:
        FeedUnreadableError: the file is empty, an archive, a workbook that cannot be read, or JSON that holds no rows.
    """
    if file.suffix.lower() in _WORKBOOKS:
        return read_workbook(file, sheet)
    return _json_rows(file) if file.suffix.lower() == ".json" else read_delimited(file)


def _json_rows(file: Path) -> list[dict[str, Any]]:
    try:
        # Not-a-number and infinity are no JSON and no database takes them: they stay as words.
        content = json.loads(file.read_text("utf-8-sig"), parse_constant=str)
    except (ValueError, RecursionError):
        content = None
    rows = content.get("row") if isinstance(content, Mapping) else content
    if not isinstance(rows, list):
        raise FeedUnreadableError(
            f'{file.name} is no JSON with a list of rows, or {{"row": [...]}}: ask for the export again.'
        )
    return [row if isinstance(row, dict) else {DAMAGE_NOTE: "the entry is no row"} for row in rows]
