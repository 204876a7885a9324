from pathlib import Path

import pytest

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.dropped_files import read_dropped
from enrollment_crm.sources.feed_errors import FeedUnreadableError


def dropped(directory: Path, name: str, content: str) -> Path:
    file = directory / name
    file.write_text(content, "utf-8")
    return file


@pytest.mark.parametrize("content", ['[{"AppID": "a-1"}]', '{"row": [{"AppID": "a-1"}]}', '\ufeff[{"AppID": "a-1"}]'])
def test_json_is_read_as_a_list_and_as_slate_writes_it(tmp_path: Path, content: str) -> None:
    assert read_dropped(dropped(tmp_path, "items.JSON", content)) == [{"AppID": "a-1"}]


def test_anything_else_is_delimited_text(tmp_path: Path) -> None:
    assert list(read_dropped(dropped(tmp_path, "items.csv", "AppID,Code\na-1,LOR\n"))) == [
        {"AppID": "a-1", "Code": "LOR"}
    ]


def test_an_entry_that_is_no_row_is_not_lost(tmp_path: Path) -> None:
    rows = read_dropped(dropped(tmp_path, "items.json", '[{"AppID": "a-1"}, 7, {"n": NaN}]'))
    assert rows == [{"AppID": "a-1"}, {DAMAGE_NOTE: "the entry is no row", "entry": 7}, {"n": "NaN"}]


@pytest.mark.parametrize(
    "content", ["", "{", '{"rows": []}', '{"row": [{"a": 1}], "row": [{"a": 2}]}', "7", "[" * 100_000]
)
def test_json_without_rows_is_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    with pytest.raises(FeedUnreadableError, match=r"items\.json is no JSON .* ask for the export again"):
        read_dropped(dropped(tmp_path, "items.json", content))


def test_of_a_name_that_stands_there_twice_neither_value_is_lost(tmp_path: Path) -> None:
    rows = read_dropped(dropped(tmp_path, "items.json", '[{"Email": "a", "Email": "b", "Name": "c"}]'))
    assert rows == [{"Email": "a", "Email (2)": "b", "Name": "c", DAMAGE_NOTE: "a name stands there twice"}]


def test_numbers_that_no_database_takes_stay_as_they_are_written(tmp_path: Path) -> None:
    digits = "9" * 5000
    rows = read_dropped(dropped(tmp_path, "items.json", f'[{{"a": 1e999, "b": -1e999, "c": {digits}, "d": 1.5}}]'))
    assert rows == [{"a": "1e999", "b": "-1e999", "c": digits, "d": 1.5}]


def test_two_entries_that_are_no_rows_are_two(tmp_path: Path) -> None:
    rows = list(read_dropped(dropped(tmp_path, "items.json", '[7, "x"]')))
    assert rows[0] != rows[1]
