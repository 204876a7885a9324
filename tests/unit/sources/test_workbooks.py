"""Workbooks as people drop them: which row is the header, and no row is lost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.workbooks import read_workbook


def rows_of(directory: Path, *rows: Sequence[Any]) -> list[dict[str, Any]]:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(list(row))
    workbook.save(directory / "fair.xlsx")
    return list(read_workbook(directory / "fair.xlsx"))


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, ["Fair"], ["November"], [], ["Email", "Name"], ["a@example.edu", "Ana"])
    assert rows == [{"Email": "a@example.edu", "Name": "Ana"}]


def test_a_remark_beside_a_list_makes_no_header_of_a_person(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, ["Email"], ["a@example.edu"], ["b@example.edu", "phoned"], ["c@example.edu"])
    assert [row["Email"] for row in rows] == ["a@example.edu", "b@example.edu", "c@example.edu"]
    assert [DAMAGE_NOTE in row for row in rows] == [False, True, False]
    names = rows_of(tmp_path, ["Code"], *([n] for n in range(9)), [9, "late"])
    assert [row["Code"] for row in names] == list(range(10))


def test_a_row_of_formulas_that_nobody_saved_is_no_blank_row(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, ["Email", "Name"], ["=A1", "=B1"])
    assert "no saved result" in row[DAMAGE_NOTE]


def test_a_person_is_no_header(tmp_path: Path) -> None:
    with pytest.raises(FeedUnreadableError, match=r"fair\.xlsx has no header"):
        rows_of(tmp_path, ["a@example.edu", "Ana"], ["b@example.edu", "Ben"])


def test_an_empty_sheet_is_named(tmp_path: Path) -> None:
    with pytest.raises(FeedUnreadableError, match="without even a header"):
        rows_of(tmp_path)


def test_empty_sheets_beside_the_one_are_none(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.create_sheet("Sheet2")
    workbook.worksheets[0].append(["Email"])
    workbook.worksheets[0].append(["a@example.edu"])
    workbook.save(tmp_path / "fair.xlsx")
    assert list(read_workbook(tmp_path / "fair.xlsx")) == [{"Email": "a@example.edu"}]
    workbook.worksheets[1].append(["Email"])
    workbook.save(tmp_path / "fair.xlsx")
    with pytest.raises(FeedUnreadableError, match="has the sheets Sheet, Sheet2: name one"):
        list(read_workbook(tmp_path / "fair.xlsx"))


def test_characters_that_workbooks_write_as_codes_are_themselves(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, ["Email", "Name"], ["a@example.edu", "Ana_x000D_\nSilva _x005F_x000D_ x_xy"])
    assert row["Name"] == "Ana\r\nSilva _x000D_ x_xy"


def test_text_under_the_name_of_a_workbook_is_told_what_to_be_called(tmp_path: Path) -> None:
    (tmp_path / "fair.xlsx").write_text("Email\na@example.edu\n")
    with pytest.raises(FeedUnreadableError, match=r"fair\.xlsx is no workbook.* ends in \.csv"):
        list(read_workbook(tmp_path / "fair.xlsx"))


def test_a_header_is_known_by_the_names_of_its_columns(tmp_path: Path) -> None:
    workbook = Workbook()
    for row in (
        ["Report", "Leads"],
        ["Program", "all"],
        *([f"Note {n}", "x", "y"] for n in range(9)),
        ["Email", "Term"],
    ):
        workbook.worksheets[0].append(row)
    workbook.worksheets[0].append(["a@example.edu", "fall 2027"])
    workbook.save(tmp_path / "fair.xlsx")
    rows = list(read_workbook(tmp_path / "fair.xlsx", columns=["Email", "Term", "Program"]))
    assert rows == [{"Email": "a@example.edu", "Term": "fall 2027"}]


def test_whatever_byte_is_damaged_it_is_rows_or_a_named_error(tmp_path: Path) -> None:
    rows_of(tmp_path, ["Email", "Name"], *([f"{n}@example.edu", f"Ana {n}"] for n in range(50)))
    whole = (tmp_path / "fair.xlsx").read_bytes()
    named = 0
    for place in range(0, len(whole), 17):
        (tmp_path / "fair.xlsx").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            list(read_workbook(tmp_path / "fair.xlsx"))
        except FeedUnreadableError as error:
            named += "fair.xlsx" in str(error)
    assert named > 100
