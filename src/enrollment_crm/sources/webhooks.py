"""The body of a webhook as raw rows: kept as it came where that can be, else with a note or refused in words.

What is no JSON, nested too deep, or no row and no list of rows is refused: its sender is told, and has it still. Every
row of a body that can be read is kept; one that says two things at once is kept with a note, and so quarantined.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.json_documents import object_of_pairs

#: A row of any feed that we know has three levels.
DEEPEST = 32
#: Rows in one post.
MOST_ROWS = 1000
#: Digits of a whole number; with more it is kept as text, as Python reads no more than 4,300.
_MOST_DIGITS = 300
#: The envelope that the specification proposes: what happened, when, and the row or rows.
_ENVELOPE = {"type", "timestamp", "data"}


class BodyRefused(ValueError):
    """The body is no row and no list of rows; the sentence tells the sender what to change."""


def rows_in(body: bytes) -> list[Mapping[str, Any]]:
    """The rows of a body: an object, a list of objects, or either as the ``data`` of an envelope.

    Raises:
        BodyRefused: there are none in it.
    """
    document = _parsed(body)
    _check_depth(document)
    shared: dict[str, Any] = {}
    if isinstance(document, dict) and document.keys() <= _ENVELOPE and isinstance(document.get("data"), dict | list):
        shared, document = {k: v for k, v in document.items() if k != "data"}, document["data"]
    if not isinstance(document, dict | list):
        raise BodyRefused("Send a row as a JSON object, or a list of rows.")
    entries = document if isinstance(document, list) else [document]
    if len(entries) > MOST_ROWS:
        raise BodyRefused(f"The body has {len(entries)} rows: send {MOST_ROWS} at most in one post.")
    return [_row(entry, shared) for entry in entries]


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=object_of_pairs,
            parse_constant=str,
            parse_float=_number,
            parse_int=_whole_number,
        )
    except UnicodeDecodeError:
        raise BodyRefused("The body is not UTF-8.") from None
    except RecursionError:
        raise BodyRefused(_too_deep()) from None
    except ValueError:
        raise BodyRefused("The body is no JSON, or not the whole of it.") from None


def _number(text: str) -> float | str:
    """A number as a number where that keeps it as it came: no database takes infinity, and digits must not be lost."""
    number = float(text)
    return number if math.isfinite(number) and repr(number) == text else text


def _whole_number(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _row(entry: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    # With the entry itself: two that are no rows are two, and a person can read what they were.
    row = entry if isinstance(entry, dict) else {DAMAGE_NOTE: "the entry is no row", "entry": entry}
    # What the row says itself goes before what the envelope says; neither is lost.
    return {**{f"({name})" if name in row else name: value for name, value in shared.items()}, **row}


def _check_depth(document: Any) -> None:
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise BodyRefused(_too_deep())
        level = [
            below
            for one in level
            if isinstance(one, dict | list)
            for below in (one.values() if isinstance(one, dict) else one)
            if isinstance(below, dict | list)
        ]


def _too_deep() -> str:
    return f"The body is nested deeper than {DEEPEST} levels: send plain rows."
