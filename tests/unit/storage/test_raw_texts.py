"""The JSON of a raw row is what ``json.dumps`` makes of it, character for character."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.storage.raw_texts import texts_of_rows

TEXT = st.text(max_size=20)
ROWS = st.dictionaries(TEXT, TEXT) | st.dictionaries(TEXT, TEXT | st.none() | st.integers() | st.booleans())


@given(st.lists(ROWS, max_size=5))
def test_every_row_is_written_as_json_dumps_writes_it(rows: list[dict[str, object]]) -> None:
    written = [tuple(one) for one in texts_of_rows(rows)]
    assert written == [(json.dumps(row), json.dumps(row, sort_keys=True)) for row in rows]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"100%": "50%s", "%s": "%%"}, id="per cent signs"),
        pytest.param({'"b"\\': "\ud800\x00", "a": "🎓"}, id="what must be escaped"),
        pytest.param({"nested": {"b": [1], "a": None}}, id="nested"),
    ],
)
def test_nothing_in_a_row_is_taken_for_a_place_to_fill(row: dict[str, object]) -> None:
    (written,) = texts_of_rows([row])
    assert (json.loads(written.as_it_came), json.loads(written.sorted)) == (row, row)
    assert written.sorted == json.dumps(row, sort_keys=True)
