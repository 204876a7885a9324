from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.delimited import read_delimited, rows_of
from enrollment_crm.sources.feed_errors import FeedUnreadableError

TEXT = "Name;Email\r\nZsófia Szabó;zsofia@example.com\r\n王小明;wang@example.com\r\n"
ROWS = [
    {"Name": "Zsófia Szabó", "Email": "zsofia@example.com"},
    {"Name": "王小明", "Email": "wang@example.com"},
]


def rows_in(directory: Path, content: bytes) -> list[dict[str, str]]:
    file = directory / "rows.csv"
    file.write_bytes(content)
    return read_delimited(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_reads_every_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    assert rows_in(tmp_path, TEXT.encode(encoding)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_reads_utf16_without_a_mark(tmp_path: Path, encoding: str) -> None:
    assert rows_in(tmp_path, TEXT.splitlines()[0].encode(encoding) + "\nZoë;z@example.com".encode(encoding)) == [
        {"Name": "Zoë", "Email": "z@example.com"}
    ]


def test_reads_windows_1252(tmp_path: Path) -> None:
    rows = rows_in(tmp_path, "Name,Price\nJürgen Weiß,5 €\nO’Brien,–\n".encode("cp1252"))
    assert rows == [{"Name": "Jürgen Weiß", "Price": "5 €"}, {"Name": "O’Brien", "Price": "–"}]


def test_a_bad_byte_costs_one_letter_not_every_name(tmp_path: Path) -> None:
    rows = rows_in(tmp_path, "Name\nZsófia Szabó\nJ".encode() + b"\xfc" + b"rgen\n")
    assert [row["Name"] for row in rows] == ["Zsófia Szabó", "J\ufffdrgen"]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n",
        "a;b\n1;2\n",
        "a\tb\n1\t2\n",
        "a|b\n1|2",
        "sep=;\na;b\n1;2\n",
        '"sep=;"\r\na;b\r\n1;2',
        "sep=\t\na\tb\n1\t2",
        "sep=^\na^b\n1^2",
        "Fair of November,\n,\na,b\n1,2",
    ],
)
def test_finds_the_delimiter(tmp_path: Path, content: str) -> None:
    assert rows_in(tmp_path, content.encode()) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_knows_every_line_end(tmp_path: Path, end: str) -> None:
    assert rows_in(tmp_path, f"a,b{end}1,2{end}3,4".encode()) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_quoted_cell_may_hold_anything(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b'a,b\n"x, ""y""\nz",2\n') == [{"a": 'x, "y"\nz', "b": "2"}]


def test_columns_without_a_name_or_with_the_same_one_stay_apart(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b"Email,,Email,Email\n1,2,3,4") == [
        {"Email": "1", "column 2": "2", "Email (2)": "3", "Email (3)": "4"}
    ]


def test_rows_with_too_few_or_too_many_cells_come_back_with_a_note(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b"a,b\n1\n1,2,3\n1,2,,\n") == [
        {"a": "1", DAMAGE_NOTE: "1 cells under 2 headings"},
        {"a": "1", "b": "2", "column 3": "3", DAMAGE_NOTE: "3 cells under 2 headings"},
        {"a": "1", "b": "2"},
    ]


def test_a_stray_quote_costs_one_row_not_the_rest(tmp_path: Path) -> None:
    rows = rows_in(tmp_path, b'a,b\n1,2\n"3,4\n5,6\n7,"8" x\n9,10\n')
    assert [DAMAGE_NOTE in row for row in rows] == [False, True, False, True, False]
    assert [row["a"] for row in rows] == ["1", '"3', "5", "7", "9"]


def test_an_open_quote_that_another_closes_swallows_no_rows(tmp_path: Path) -> None:
    lines = ["Email,Page,Name", 'a@example.edu,"fair,Ana', "b@example.edu,fair,Ben", 'c@example.edu,fair",Cem', "d,e,f"]
    rows = rows_in(tmp_path, "\n".join(lines).encode())
    assert [row["Email"] for row in rows] == ["a@example.edu", "b@example.edu", "c@example.edu", "d"]
    assert [DAMAGE_NOTE in row for row in rows] == [True, False, False, False]
    letter = "Dear all,\n\nwrite to me, please, at ana@example.edu\nAna, who, waits"
    assert rows_in(tmp_path, f'Email,Letter,Name\na@example.edu,"{letter}",Ana'.encode())[0]["Letter"] == letter


def test_a_cell_of_many_lines_is_one_cell(tmp_path: Path) -> None:
    (row,) = rows_in(tmp_path, b'a,b\n1,"' + b"x\n" * 500_000 + b'"\n')
    assert row == {"a": "1", "b": "x\n" * 500_000}


def test_a_row_without_end_is_one_row(tmp_path: Path) -> None:
    (row, other) = rows_in(tmp_path, b'a,b\n1,"' + b"x," * 2_000_000 + b"\n2,3\n")
    assert row[DAMAGE_NOTE] == "it has no end"
    assert len(row) < 200_000
    assert sum(cell.count("x") for cell in row.values()) == 2_000_000
    assert other == {"a": "2", "b": "3"}


def test_blanks_before_quotes_are_part_of_neither_names_nor_cells(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b'"a", "b"\n"1", "2, 3"\n') == [{"a": "1", "b": "2, 3"}]


def test_open_quotes_on_every_line_do_not_take_forever(tmp_path: Path) -> None:
    rows = rows_in(tmp_path, b"a,b\n" + b'"x,1\n\n' * 1001)
    assert len(rows) == 1001


def test_nul_and_huge_cells_are_no_obstacle(tmp_path: Path) -> None:
    rows = rows_in(tmp_path, b"a,b\n1\x00,2\n" + b"x" * 1_000_000 + b",4\n5,6\n")
    assert [len(row["a"]) for row in rows] == [2, 1_000_000, 1]


def test_rows_without_any_value_are_no_rows(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b"a,b\n\n,,\n  ,\n1,2\n\n\x1a\0\0") == [{"a": "1", "b": "2"}]


def test_one_column_with_the_commas_of_others_loses_no_row(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b"Email,\na@example.edu,\nb@example.edu,Ben\n") == [
        {"Email": "a@example.edu", "column 2": ""},
        {"Email": "b@example.edu", "column 2": "Ben"},
    ]
    assert [row["Name"] for row in rows_in(tmp_path, b"Name\nDoe, Jane\n")] == ["Doe"]


@pytest.mark.parametrize(
    "content",
    [
        "Leads export 24 Nov\nEmail,Name\na@example.edu,Ana\n",
        "Leads export 24 Nov\r\n\r\nEmail;Name\r\na@example.edu;Ana\r\n",
        "Leads export\n24 Nov\nfor the fair\nEmail\tName\na@example.edu\tAna",
        '"Leads; all, of | them"\nEmail,Name\na@example.edu,Ana',
    ],
)
def test_titles_without_delimiters_are_passed_over(tmp_path: Path, content: str) -> None:
    assert rows_in(tmp_path, content.encode()) == [{"Email": "a@example.edu", "Name": "Ana"}]


@pytest.mark.parametrize("sign", [",", ";"])
def test_a_title_with_a_comma_is_passed_over(tmp_path: Path, sign: str) -> None:
    lines = ["Leads export, 24 Nov", *(sign.join(row) for row in ("abcd", ("", "x@example.edu", "2", "3"), "1234"))]
    first, second = rows_in(tmp_path, "\n".join(lines).encode())
    assert first == {"a": "", "b": "x@example.edu", "c": "2", "d": "3"}
    assert second == {"a": "1", "b": "2", "c": "3", "d": "4"}


@pytest.mark.parametrize(
    "above",
    [
        ["Report: Leads", "Run by: Joe", "Filter: all, active", "Columns: Email; Name"],
        ["Program,Leads,,", "Run at,noon,,"],
        [f"Line {number} of a long preface" for number in range(20)],
        ['"Email, Name and Term, of leads"', ""],
    ],
    ids=lambda one: one[0],
)
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_header_is_known_by_the_names_of_its_columns(tmp_path: Path, above: list[str], sign: str) -> None:
    file = tmp_path / "leads.csv"
    table = [("Term", "E-mail", '"Last  name"', "Notes"), ("fall 2027", "a@example.edu", "Silva", "Program")]
    file.write_text("\n".join([*above, *map(sign.join, table)]))
    (row,) = rows_of(file, "utf-8", columns=["Term", "E-mail", "last name", "Program"])
    assert (row["E-mail"], row["Term"]) == ("a@example.edu", "fall 2027")


def test_nobody_above_a_header_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("a@example.edu,Ana\nEmail,Name\nb@example.edu,Ben\n")
    with pytest.raises(FeedUnreadableError, match="has no header"):
        list(rows_of(file, "utf-8", columns=["Email", "Name"]))


def test_a_header_that_comes_again_is_a_row(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("Email,Name\na@example.edu,Ana\nEmail,Name\nb@example.edu,Ben\n")
    rows = list(rows_of(file, "utf-8", columns=["Email", "Name"]))
    assert [row["Email"] for row in rows] == ["a@example.edu", "Email", "b@example.edu"]
    assert [DAMAGE_NOTE in row for row in rows] == [False, True, False]


def test_a_narrow_row_above_rows_without_addresses_is_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(FeedUnreadableError, match=r"rows\.csv begins with a row that is narrower .* title.*\.$"):
        rows_in(tmp_path, b"Applications of November\nAppID;Code;Status\na-1;LOR;Received\na-2;LOR;Awaiting\n")


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("Name\nDoe, Jane\nRoe, Rob\n", 2),
        ("Name\nDoe; Jane\nRoe; Rob\n", 2),
        ("Email\nana at example; Ana\nben@example.edu; Ben\n", 2),
        ("Email,Name\nana at example,Ana,Silva,Dr\nben@example.edu,Ben\n", 2),
        ("a,b\n1,;;;\n2,;;;\n3,;;;\n", 3),
        ('a,b\n1,"x\n;;;\n;;;"\n2,y\n', 2),
    ],
)
def test_no_row_becomes_a_header_because_the_first_line_is_narrow(tmp_path: Path, content: str, read: int) -> None:
    assert len(rows_in(tmp_path, content.encode())) == read


def test_a_person_is_no_header(tmp_path: Path) -> None:
    with pytest.raises(FeedUnreadableError, match=r"rows\.csv has no header.*above it") as error:
        rows_in(tmp_path, b"canary@example.edu,Ana\nben@example.edu,Ben\n")
    assert "canary" not in str(error.value)


def test_a_header_alone_gives_no_rows(tmp_path: Path) -> None:
    assert rows_in(tmp_path, b"a,b\n") == []


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(b"", "ask for the export again"), (b"\n\n", "ask for the export again"), (b"PK\x03\x04...", "save it as CSV")],
)
def test_says_what_to_do_about_a_file_that_is_none(tmp_path: Path, content: bytes, remedy: str) -> None:
    with pytest.raises(FeedUnreadableError, match=remedy):
        rows_in(tmp_path, content)


@given(content=st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)
    with suppress(FeedUnreadableError):
        read_delimited(file)


@given(cells=st.lists(st.tuples(st.integers(), st.text("ab ,;\"'\n", min_size=1)), min_size=1, max_size=20))
def test_no_row_of_a_well_formed_file_is_lost(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, str]]
) -> None:
    lines = ['{},"{}"\r\n'.format(number, text.replace('"', '""')) for number, text in cells]
    file = tmp_path_factory.getbasetemp() / "well-formed.csv"
    file.write_bytes(("number,text\r\n" + "".join(lines)).encode())
    assert [(int(row["number"]), row["text"]) for row in read_delimited(file)] == cells
