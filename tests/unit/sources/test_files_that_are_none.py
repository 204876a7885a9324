"""What people and programs drop in place of a table, and tables on the edge of being one: rows, or a sentence."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.sources.delimited import column_names, read_delimited
from enrollment_crm.sources.dropped_files import read_dropped
from enrollment_crm.sources.feed_errors import FeedUnreachableError, FeedUnreadableError
from enrollment_crm.sources.feeds import drop_feed

ROWS = "Email,Name\na@example.edu,Ana\n"


def dropped(directory: Path, name: str, content: bytes) -> Path:
    file = directory / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>\n<html>\n<body>Log in</body>\n</html>\n", "web page"),
        (b'<?xml version="1.0"?>\n<rows>\n<row/>\n</rows>', "web page or XML"),
        (b"\n <html><table><tr><td>Email</td></tr></table></html>", "web page"),
        (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "no table of text"),
        (b"{\\rtf1\\ansi Email, Name\\par}", "no table of text"),
        (b"\x89PNG\r\n\x1a\n\0\0,x", "no table of text"),
        (b"PAR1\x15\0\x15,\0\n", "no table of text"),
        (b"SQLite format 3\0\x10,\0\n", "no table of text"),
        (b"BZh91AY&SY,\n", "archive"),
        (b"\xfd7zXZ\0,\n", "archive"),
        (b"7z\xbc\xaf'\x1c,\n", "archive"),
        (b"Em\0ail,Name\na@example.edu,Ana\n", "no text"),
        (b"\0" * 500 + b"\n", "is empty"),
        (b"\xfe\xff" + ROWS.encode("utf-16-le"), "holds no row"),
        (b"Email\n", "holds no row"),
        (b'"Email,First Name,Last Name"\n"a@example.edu,Ana,Silva"\n', "quotation marks around whole lines"),
        (b'[{"Email": "a@example.edu", "Name": "Ana"}]', "JSON"),
        (b'[\n {\n  "Email": "a", "Name": "b"\n }\n]\n', "JSON"),
        (b'{"row": [\n{"Email": "a", "Name": "b"}\n]}\n', "JSON"),
        (b'{"Email": "a", "Name": "b"}\n{"Email": "c", "Name": "d"}\n', "JSON"),
    ],
    ids=lambda one: repr(one)[:20],
)
def test_what_is_no_table_is_named_and_not_filed_as_one_without_rows(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(FeedUnreadableError, match=rf"fair\.csv .*{words}.*\.$"):
        read_delimited(dropped(tmp_path, "fair.csv", content))


def test_rows_may_leave_out_what_the_header_does_not_name(tmp_path: Path) -> None:
    rows = read_delimited(dropped(tmp_path, "fair.csv", b"Email,Name,,\na@example.edu,Ana\nb@example.edu,Ben,,x\n"))
    assert rows == [
        {"Email": "a@example.edu", "Name": "Ana"},
        {"Email": "b@example.edu", "Name": "Ben", "column 3": "", "column 4": "x"},
    ]


def test_what_cannot_be_seen_belongs_to_no_name(tmp_path: Path) -> None:
    content = "\u202eEmail,\u00a0Name\u200b\na@example.edu,Ana\n".encode()
    assert read_delimited(dropped(tmp_path, "fair.csv", content)) == [{"Email": "a@example.edu", "Name": "Ana"}]


def test_a_sign_for_a_lost_letter_makes_no_other_encoding_of_utf8(tmp_path: Path) -> None:
    content = "Email,Name\np\ufffd1@example.edu,\ufffd\n".encode()
    assert read_delimited(dropped(tmp_path, "fair.csv", content)) == [
        {"Email": "p\ufffd1@example.edu", "Name": "\ufffd"}
    ]


def test_as_many_columns_as_somebody_likes_are_named_at_once() -> None:
    names = column_names([*["c"] * 50_000, "c (7)", "", ""])
    assert len(set(names)) == 50_003
    assert names[:3] == ["c", "c (2)", "c (3)"]


def workbook_with(directory: Path, old: bytes, new: bytes) -> Path:
    """A workbook of 40,000 people in whose sheet something else stands."""
    workbook, changed = Workbook(write_only=True), io.BytesIO()
    sheet = workbook.create_sheet()
    for row in (["Email", "Name"], *([f"p{number}@example.edu", "Ana"] for number in range(40_000))):
        sheet.append(row)
    workbook.save(directory / "whole.xlsx")
    with zipfile.ZipFile(directory / "whole.xlsx") as whole, zipfile.ZipFile(changed, "w") as archive:
        for name in whole.namelist():
            content = whole.read(name)
            archive.writestr(name, content.replace(old, new) if "sheet1.xml" in name else content)
    return dropped(directory, "fair.xlsx", changed.getvalue())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'<row r="40001"', b'<row r="99999999999"', "is damaged"),
        (b'<row r="30000"', b'<row r="29999"', "is damaged"),
        (b'<row r="30000"', b'<row spans="1:2" r="7"', "is damaged"),
        (b'<row r="30000"', b"<row r='-1'", "is damaged"),
        (b"schemas.openxmlformats.org/spreadsheetml/2006/main", b"purl.oclc.org/ooxml/spreadsheetml/main", "Strict"),
    ],
)
def test_a_sheet_that_would_lose_rows_or_never_end_is_named(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    with pytest.raises(FeedUnreadableError, match=rf"fair\.xlsx .*{words}.*\.$"):
        list(read_dropped(workbook_with(tmp_path, old, new)).rows)


def test_every_row_of_a_sheet_of_several_pieces_is_read(tmp_path: Path) -> None:
    assert len(list(read_dropped(workbook_with(tmp_path, b"<nothing", b"")).rows)) == 40_000


def test_names_with_line_breaks_do_not_hide_the_delimiter(tmp_path: Path) -> None:
    content = b'"Email\n(work, home, other)";"First\nName"\na@example.edu;Ana\n'
    (row,) = read_delimited(dropped(tmp_path, "fair.csv", content))
    assert list(row.values()) == ["a@example.edu", "Ana"]


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("folder.csv", "pipe.csv"):
        with pytest.raises(FeedUnreadableError, match=f"{name} is a folder or a pipe"):
            read_dropped(tmp_path / name)


def test_a_name_of_a_file_does_nothing_to_a_terminal_or_a_log(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\x1b[31m\nERROR x.csv"))
    file.touch()
    with pytest.raises(FeedUnreadableError, match=r"bad\?\?\[31m\?ERROR x\.csv is empty") as error:
        read_delimited(file)
    assert str(error.value).isprintable()


def quiet(file: Path) -> Path:
    os.utime(file, (1_700_000_000,) * 2)
    return file


def test_a_file_that_cannot_be_moved_says_that_it_was_taken_in(tmp_path: Path) -> None:
    folder = tmp_path / "fair"
    folder.mkdir()
    quiet(dropped(folder, "fair.csv", ROWS.encode()))
    (folder / "done").write_text("no folder")
    quiet(folder / "done")
    feed = drop_feed("fair", RecordKind.SIGNUP, drop_directory=tmp_path)
    _, delivery = feed.deliveries()  # the file that is called done is no folder, and so is one of them
    assert len(list(delivery.read())) == 1
    with pytest.raises(FeedUnreachableError, match=r"fair\.csv was taken in, but cannot be moved to done/ \(.+\): "):
        delivery.keep()


def test_the_second_file_of_the_longest_name_is_set_aside_too(tmp_path: Path) -> None:
    folder = tmp_path / "fair"
    folder.mkdir()
    name = "é" * 125 + ".csv"
    for _ in range(2):
        quiet(dropped(folder, name, ROWS.encode()))
        for delivery in drop_feed("fair", RecordKind.SIGNUP, drop_directory=tmp_path).deliveries():
            assert len(list(delivery.read())) == 1
            delivery.keep()
    assert len(list((folder / "done").iterdir())) == 2
