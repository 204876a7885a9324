"""Entry terms: how they are read, printed and ordered."""

import pytest

from enrollment_crm.domain.terms import EntryTerm, Season

FALL_2027 = EntryTerm(2027, Season.FALL)


@pytest.mark.parametrize("text", ["fall 2027", "Fall 2027", " FALL 2027 "])
def test_reads_a_season_and_a_year(text: str) -> None:
    assert EntryTerm.parse(text) == FALL_2027


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fall",
        "2027",
        "fall 27",
        "fall 20277",
        "fall  2027",
        "2027 fall",
        "autumn 2027",
        "summer 2027",  # this program takes fall and spring only
        "winter 2027",
        "202710",  # term codes are configuration, never arithmetic
        "999999",
        "000000",
        "fall 2027 2028",
        "fall ²⁰²⁷",
    ],
)
def test_refuses_what_is_no_term_and_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a season and a year, such as 'fall 2027'"):
        EntryTerm.parse(text)


def test_is_printed_as_it_is_read() -> None:
    assert str(FALL_2027) == "fall 2027"
    assert EntryTerm.parse(str(FALL_2027)) == FALL_2027


def test_terms_are_ordered_by_time() -> None:
    in_time = ["spring 2026", "fall 2026", "spring 2027", "fall 2027"]
    terms = [EntryTerm.parse(text) for text in in_time]
    assert sorted([terms[2], terms[0], terms[3], terms[1]]) == terms
    assert EntryTerm.parse("spring 2027") < EntryTerm.parse("fall 2027")  # as words it would be the other way round
