"""JSON as other people's programs write it: read leniently, and only into what a database can keep."""

import json
import math
from collections.abc import Mapping
from typing import Any

from enrollment_crm.domain.field_maps import DAMAGE_NOTE

#: Under this name an entry that is no row is kept beside the note of that.
ENTRY = "entry"


def read_json(text: str | bytes) -> Any:
    """The content of a document; None where it is no JSON, or nested deeper than Python reads.

    Not-a-number, infinity and numbers beyond all bounds are no JSON for a database: they stay as the words they are.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=object_of_pairs,
            parse_constant=str,
            parse_float=_float_or_words,
            parse_int=_int_or_words,
        )
    except (ValueError, RecursionError):
        return None


def object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a name that stands there twice both values are kept, and the row is known as damaged."""
    found = dict(pairs)
    if len(found) == len(pairs):  # as of almost every row of millions
        return found
    found = {}
    for name, value in pairs:
        free, number = name, 2
        while free in found:
            free, number = f"{name} ({number})", number + 1
        found[free] = value
    return {**found, DAMAGE_NOTE: "a name stands there twice"}


def rows_in(content: Any) -> list[dict[str, Any]] | None:
    """The rows of a list, or of ``{"row": [...]}``; None: it is neither. What is no row is kept with a note of that."""
    # A list that stands there twice is two, of which one would be lost.
    is_clear = isinstance(content, Mapping) and DAMAGE_NOTE not in content
    entries = content.get("row") if is_clear else content
    if not isinstance(entries, list):
        return None
    return [one if isinstance(one, dict) else {DAMAGE_NOTE: "the entry is no row", ENTRY: one} for one in entries]


def row_of_line(line: str, number: int) -> dict[str, Any]:
    """The row of one line of JSON Lines; a line that is no object is kept with a note of its number."""
    content = read_json(line.lstrip("\ufeff"))
    if isinstance(content, dict):
        return content
    return {DAMAGE_NOTE: f"line {number} is no row", ENTRY: line.strip() if content is None else content}


def _float_or_words(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _int_or_words(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # more digits than Python turns into a number
        return text
