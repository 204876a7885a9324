"""Raw texts: the JSON of raw rows, as it is kept and as it is recognised by.

Exports have a million rows with the same columns and nothing but texts in them. What stands between the cells of a row
is worked out once for such columns; the rest is what ``json.dumps`` does, character for character.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from typing import Any, NamedTuple


class RawText(NamedTuple):
    """The JSON of one raw row: with its keys in their order, and sorted."""

    as_it_came: str
    sorted: str


def texts_of_rows(rows: Sequence[Mapping[str, Any]]) -> list[RawText]:
    """The JSON of each row."""
    return [_text_of(row) for row in rows]


def _text_of(row: Mapping[str, Any]) -> RawText:
    try:
        cells = tuple(map(encode_basestring_ascii, row.values()))
        as_it_came, by_key, sort = _writers(tuple(row))
    except TypeError:  # a value or a key that is no text: rows of JSON feeds
        return RawText(json.dumps(row), json.dumps(row, sort_keys=True))
    return RawText(as_it_came % cells, by_key % sort(cells))


@lru_cache(maxsize=64)
def _writers(keys: tuple[str, ...]) -> tuple[str, str, Callable[[tuple[str, ...]], tuple[str, ...]]]:
    """What stands between the cells, in the order of the columns and sorted; and what brings cells into that order."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return _template(keys), _template([keys[one] for one in order]), _sorter(order)


def _template(keys: Sequence[str]) -> str:
    pairs = (encode_basestring_ascii(key).replace("%", "%%") + ": %s" for key in keys)
    return "{" + ", ".join(pairs) + "}"


def _sorter(order: Sequence[int]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    if len(order) > 1:
        return itemgetter(*order)
    return lambda cells: cells
