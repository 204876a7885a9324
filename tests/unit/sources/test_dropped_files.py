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
    assert read_dropped(dropped(tmp_path, "items.JSON", content)).rows == [{"AppID": "a-1"}]


def test_anything_else_is_delimited_text(tmp_path: Path) -> None:
    assert list(read_dropped(dropped(tmp_path, "items.csv", "AppID,Code\na-1,LOR\n")).rows) == [
        {"AppID": "a-1", "Code": "LOR"}
    ]


def test_an_entry_that_is_no_row_is_not_lost(tmp_path: Path) -> None:
    rows = read_dropped(dropped(tmp_path, "items.json", '[{"AppID": "a-1"}, 7, {"n": NaN}]')).rows
    assert rows == [{"AppID": "a-1"}, {DAMAGE_NOTE: "the entry is no row", "entry": 7}, {"n": "NaN"}]


@pytest.mark.parametrize(
    "content", ["", "{", '{"rows": []}', '{"row": [{"a": 1}], "row": [{"a": 2}]}', "7", "[" * 100_000]
)
def test_json_without_rows_is_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    with pytest.raises(FeedUnreadableError, match=r"items\.json is no JSON .* ask for the export again"):
        read_dropped(dropped(tmp_path, "items.json", content))


def test_of_a_name_that_stands_there_twice_neither_value_is_lost(tmp_path: Path) -> None:
    rows = read_dropped(dropped(tmp_path, "items.json", '[{"Email": "a", "Email": "b", "Name": "c"}]')).rows
    assert rows == [{"Email": "a", "Email (2)": "b", "Name": "c", DAMAGE_NOTE: "a name stands there twice"}]


def test_numbers_that_no_database_takes_stay_as_they_are_written(tmp_path: Path) -> None:
    digits = "9" * 5000
    rows = read_dropped(dropped(tmp_path, "items.json", f'[{{"a": 1e999, "b": -1e999, "c": {digits}, "d": 1.5}}]')).rows
    assert rows == [{"a": "1e999", "b": "-1e999", "c": digits, "d": 1.5}]


def test_two_entries_that_are_no_rows_are_two(tmp_path: Path) -> None:
    rows = list(read_dropped(dropped(tmp_path, "items.json", '[7, "x"]')).rows)
    assert rows[0] != rows[1]


@pytest.mark.parametrize("name", ["leads.jsonl", "leads.NDJSON", "leads.json"])
def test_json_lines_are_read_line_by_line(tmp_path: Path, name: str) -> None:
    content = '\ufeff{"Email": "a", "Name": "A\u2028B"}\r\n\n{"Email": "b"\r\n{"Email": "c"}\n7\n[{"Email": "d"}]'
    assert list(read_dropped(dropped(tmp_path, name, content)).rows) == [
        {"Email": "a", "Name": "A\u2028B"},
        {DAMAGE_NOTE: "line 3 is no row", "entry": '{"Email": "b"'},
        {"Email": "c"},
        {DAMAGE_NOTE: "line 5 is no row", "entry": 7},
        {DAMAGE_NOTE: "line 6 is no row", "entry": [{"Email": "d"}]},
    ]


def test_of_many_lines_of_json_none_is_lost_after_a_broken_first_one(tmp_path: Path) -> None:
    lines = ['{"Email"', *(f'{{"Email": "a{number}"}}' for number in range(250))]
    rows = list(read_dropped(dropped(tmp_path, "leads.jsonl", "\n".join(lines))).rows)
    assert [row.get("Email") for row in rows] == [None, *(f"a{number}" for number in range(250))]


@pytest.mark.parametrize(
    "content", ['[\n {"Email": "a"},\n {"Email": "b"}\n]', '{"row": [{"Email": "a"}, {"Email": "b"}]}']
)
def test_a_document_that_is_called_json_lines_is_read_as_what_it_is(tmp_path: Path, content: str) -> None:
    assert list(read_dropped(dropped(tmp_path, "leads.jsonl", content)).rows) == [{"Email": "a"}, {"Email": "b"}]


@pytest.mark.parametrize("content", ["", "\n \n", "Email,Name\na@example.edu,Ana\n", "{", '{"a": 1', "7\n8\n", "\0\n"])
def test_lines_of_which_none_is_a_row_are_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    with pytest.raises(FeedUnreadableError, match=r"leads\.jsonl is no JSON Lines, .*ask for the export again.*\.$"):
        list(read_dropped(dropped(tmp_path, "leads.jsonl", content)).rows)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("name", ["leads.json", "leads.jsonl"])
def test_json_is_read_in_every_encoding_of_other_programs(tmp_path: Path, name: str, encoding: str) -> None:
    line = '{"Name": "Núñez–Weiß", "Email": "a"}'
    file = tmp_path / name
    file.write_bytes((line if name.endswith("l") else f"[{line}]").encode(encoding))
    assert list(read_dropped(file).rows) == [{"Name": "Núñez–Weiß", "Email": "a"}]


@pytest.mark.parametrize("name", ["leads.json", "leads.jsonl"])
def test_an_archive_that_is_called_json_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 a workbook")
    with pytest.raises(FeedUnreadableError, match=rf"{name} is a workbook or an archive: save it"):
        list(read_dropped(tmp_path / name).rows)
