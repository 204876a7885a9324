"""Files of other alphabets, dropped: names arrive as they were written, and what was assumed can be seen."""

import pytest
from tests.factories import HOUR, SEPTEMBER
from tests.integration.hostile_road import HostileRoad

from enrollment_crm.sources.feed_errors import FeedUnreadableError

HEADER = "Email,First Name,Last Name,Entry Term,Residency,Email Consent,Submitted At,Submission ID\r\n"


def row(number: int, name: str) -> str:
    return f"p{number}@example.edu,{name},fall 2027,Not sure,yes,2026-09-0{number + 1}T10:00:00Z,s-{number}\r\n"


def test_names_of_another_alphabet_arrive_and_the_batch_says_what_was_assumed(road: HostileRoad) -> None:
    assert road.drop((HEADER + row(0, "陽子,高橋") + row(1, "健一,佐藤")).encode("cp932")) == 2
    road.check()
    assert road.query("SELECT first_name FROM person ORDER BY id") == ["陽子", "健一"]
    (remarks,) = road.query("SELECT remarks FROM batch")
    assert remarks.startswith("Read as Shift_JIS, which is a guess: ")
    road.drop((HEADER + row(2, "Ann,Doe")).encode(), name="ascii.csv")
    assert road.query("SELECT remarks FROM batch ORDER BY id")[1:] == [""]


def test_what_is_stated_is_no_guess(road: HostileRoad) -> None:
    for number, stated in enumerate(("", "macintosh")):
        road.drop((HEADER + row(number, "José,Muñoz")).encode("mac_roman"), encoding=stated)
    road.check()
    assert road.query("SELECT last_name FROM person ORDER BY id") == ["Mu–oz", "Muñoz"]
    assert [bool(one) for one in road.query("SELECT remarks FROM batch ORDER BY id")] == [True, False]


def test_a_wrong_guess_is_mended_by_the_file_once_more(road: HostileRoad) -> None:
    content = (HEADER + row(0, "José,Muñoz")).encode("mac_roman")
    road.drop(content)
    road.drop(content, encoding="macintosh", at=SEPTEMBER + HOUR)
    road.check()
    assert road.query("SELECT first_name, last_name FROM person") == [("José", "Muñoz")]


def test_what_is_stated_and_not_so_is_refused_in_words(road: HostileRoad) -> None:
    with pytest.raises(FeedUnreadableError, match=r"fair\.csv is UTF-8 and not windows-1251, as is stated"):
        road.drop((HEADER + row(0, "Иван,Петров")).encode(), encoding="windows-1251")


def test_a_file_that_comes_again_is_remarked_once_by_the_batch_after_it(road: HostileRoad) -> None:
    content = (HEADER + row(0, "Zoë,Núñez")).encode("cp1252")
    for name in ("monday.csv", "tuesday.csv"):
        road.drop(content, name=name)
    road.drop((HEADER + row(1, "Ben,Çelik")).encode(), name="wednesday.csv")
    road.check()
    assert [one.split(",")[0] for one in road.query("SELECT remarks FROM batch ORDER BY id")] == [
        "Read as windows-1252"
    ] * 2
    assert road.query("SELECT assumed_encoding, batch_id IS NULL FROM delivery ORDER BY id") == [
        ("windows-1252", False), ("windows-1252", False), ("", True)
    ]  # fmt: skip
