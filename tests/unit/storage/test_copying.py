"""Texts as COPY reads them."""

import pytest

from enrollment_crm.storage.copying import _as_texts

HOSTILE = ["plain", "back\\slash", "tab\t", "line\nend\r", "\\N", ""]
ESCAPED = ["plain", "back\\\\slash", "tab\\t", "line\\nend\\r", "\\\\N", ""]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (HOSTILE, ESCAPED),
        ([*HOSTILE, None], [*ESCAPED, "\\N"]),
        ([*HOSTILE, "a\0b"], [*ESCAPED, "a\0b"]),
        (["plain", "words"], ["plain", "words"]),
        ([True, 7, None], ["t", "7", "\\N"]),
    ],
)
def test_a_column_is_escaped_value_by_value(values: list[object], texts: list[str]) -> None:
    assert list(_as_texts(values)) == texts
