"""Dropped files: JSON as Slate writes it, and everything else as delimited text."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.delimited import rows_of
from enrollment_crm.sources.feed_errors import FeedUnreadableError


def read_dropped(file: Path) -> Iterable[Mapping[str, Any]]:
    """All rows of a dropped file, by column name; an entry that is no row comes back with a note of that.

    Delimited text is read as its rows are asked for, and so may be larger than the memory.

    Raises:
        FeedUnreadableError: the file is empty, a workbook or an archive, or JSON that holds no rows.
    """
    return _json_rows(file) if file.suffix.lower() == ".json" else rows_of(file)


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
