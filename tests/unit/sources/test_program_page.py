"""The dates of the program page: all of them, or an error that says what was looked for, where, and what to do."""

from collections.abc import Callable

import pytest
from tests.unit.sources.saved_pages import html, page_of, replaced

from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.listings import DeadlineListing, Listings
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import Season
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.program_page import StatedGroup, read_deadlines

PAGE = html("program-page")
EXPECTED = {StatedGroup(Season.FALL, Round.EARLY_ACTION, one) for one in STATED_GROUPS} | {
    StatedGroup(season, Round.FINAL, one) for season in Season for one in STATED_GROUPS
}
OUTSIDE_ROW = "<tr><td>Final Deadline International Students outside the US</td><td>June&nbsp;1</td></tr>"
FALL_TABLE = PAGE[PAGE.index("<h4>Fall Semester Entry") : PAGE.index("<h4>Spring Semester Entry")]


def read(text: str = PAGE) -> Listings:
    return read_deadlines(page_of(text), expected=EXPECTED)


def dates(listings: Listings) -> dict[str, tuple[int, int]]:
    return {str(one): (one.month, one.day) for one in listings.deadlines}


def test_the_real_page() -> None:
    found = read()
    assert dates(found) == {
        "fall early_action domestic": (12, 1),
        "fall early_action international_inside_us": (12, 1),
        "fall early_action international_outside_us": (12, 1),
        "fall final international_outside_us": (6, 1),
        "fall final international_inside_us": (7, 1),
        "fall final domestic": (8, 1),
        "spring final international_outside_us": (11, 1),
        "spring final international_inside_us": (12, 1),
        "spring final domestic": (12, 1),
    }
    assert found == Listings(deadlines=found.deadlines)
    assert {one.year for one in found.deadlines} == {None}


@pytest.mark.parametrize(
    ("edit", "date"),
    [
        (replaced("June&nbsp;1", "June 15"), (6, 15, None)),
        (replaced("June&nbsp;1", "Jun. 15th"), (6, 15, None)),
        (replaced("June&nbsp;1", "June 1<sup>st</sup>, 2027"), (6, 1, 2027)),
        (replaced("June&nbsp;1", "\u200bFebruary\u202f29"), (2, 29, None)),
        (replaced("International Students outside the US", "international applicants: outside the U.S."), (6, 1, None)),
        (replaced("<h4>Fall Semester Entry</h4>", "<h3><b>FALL</b> semester&nbsp;entry</h3>"), (6, 1, None)),
        (replaced(OUTSIDE_ROW, f"<tr><td>&nbsp;</td><td></td></tr>{OUTSIDE_ROW}"), (6, 1, None)),
        (replaced("<thead>", "<thead><tr><th>Applicants</th><th>Date</th></tr>"), (6, 1, None)),
        (replaced("<td>", "<td><p><strong>"), (6, 1, None)),  # not closed, as pages are
    ],
)
def test_what_a_page_may_be_written_like(edit: Callable[[str], str], date: tuple[int, int, int | None]) -> None:
    (found,) = [one for one in read(edit(PAGE)).deadlines if str(one) == "fall final international_outside_us"]
    assert (found.month, found.day, found.year) == date


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (replaced("Admissions dates", "Dates"), "looked for the section 'Admissions dates', and it is not there"),
        (replaced("Semester Entry", "Term"), "no heading '... Semester Entry' in the section 'Admissions dates'"),
        (replaced("Spring Semester Entry", "Fall Semester Entry"), "Fall Semester Entry is there twice"),
        (replaced(FALL_TABLE, ""), "no date for fall early_action domestic, fall early_action international_inside_us"),
        (replaced(OUTSIDE_ROW, ""), "no date for fall final international_outside_us in the section"),
        (replaced(OUTSIDE_ROW, OUTSIDE_ROW * 2), "states 1 June twice for fall final international_outside_us"),
        (
            replaced(OUTSIDE_ROW, OUTSIDE_ROW + OUTSIDE_ROW.replace("June&nbsp;1", "June 15")),
            "states two dates, 1 June and 15 June, for fall final international_outside_us",
        ),
        (replaced("June&nbsp;1", "Rolling"), "under 'Fall Semester Entry': 'Rolling' is not a date such as"),
        (replaced("June&nbsp;1", ""), "'' is not a date"),
        (replaced("June&nbsp;1", "June 31"), "31 June does not exist"),
        (replaced("June&nbsp;1", "February 29, 2027"), "29 February 2027 does not exist"),
        (replaced("June&nbsp;1", "1 June"), "'1 June' is not a date"),
        (replaced("June&nbsp;1", "June 1 or July 1"), "'June 1 or July 1' is not a date"),
        (replaced("<td>June", "<td>soon</td><td>June"), "is not a group and a date"),
        (replaced("Domestic applicants", "Domestic applicants (part-time)"), r"\['part', 'time'\] is not understood"),
        (replaced("Domestic applicants", "Priority deadline"), r"\['priority'\] is not understood"),
        (replaced("Domestic applicants", "International students"), "it does not name one group"),
        (replaced("Domestic applicants", "Domestic and inside the US"), r"\['and'\] is not understood"),
        (replaced("Domestic applicants", "All applicants"), "is not understood"),
        (lambda page: page.replace("table", "div"), "looked for a table under 'Fall Semester Entry', and there is"),
        (
            lambda page: page.replace("<tr", "<!-- <tr").replace("</tr>", "</tr> -->"),
            "'Fall Semester Entry' has no rows",
        ),
    ],
)
def test_a_page_that_cannot_be_understood(edit: Callable[[str], str], words: str) -> None:
    with pytest.raises(FeedUnreadableError, match=words) as caught:
        read(edit(PAGE))
    assert str(caught.value).startswith("https://crm.example/programs/ms-x/: ")
    assert str(caught.value).endswith("keep the dates there until it is read again.")


@pytest.mark.parametrize("cut_at", ["Early Action", "Spring Semester Entry", "November&nbsp;1", "Domestic Applicants"])
def test_half_a_page_is_no_page(cut_at: str) -> None:
    half = PAGE[: PAGE.index(cut_at)]
    with pytest.raises(FeedUnreadableError, match="breaks off: no </html> at its end"):
        read(half)
    with pytest.raises(FeedUnreadableError):
        read(half + "</body></html>")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<html><title>Sign in</title><form></form></html>", r"looks like a login page \('Sign in'\)"),
        ("<html><title>NEU</title><input type='password'></html>", r"looks like a login page \('NEU'\)"),
        ("<html><title>404 Not Found</title></html>", r"looks like an error page \('404 Not Found'\)"),
        ("<html><title>Just a moment...</title></html>", "looks like an error page"),
    ],
)
def test_a_page_that_is_another_one_says_so(page: str, words: str) -> None:
    with pytest.raises(FeedUnreadableError, match=f"it is not there; what came {words}"):
        read(page)


def test_a_season_that_the_program_does_not_take_is_remarked() -> None:
    summer = FALL_TABLE.replace("Fall", "Summer").replace("June&nbsp;1", "Rolling")
    found = read(replaced("<h4>Spring", f"{summer}<h4>Spring")(PAGE))
    assert found.deadlines == read().deadlines
    assert found.warnings == (
        "https://crm.example/programs/ms-x/: 'Summer Semester Entry' is not read: this program takes spring and fall",
    )


def test_a_group_that_is_not_expected_is_read_too() -> None:
    early = "<tr><td>Early Action: domestic applicants</td><td>October 1</td></tr>"
    first_of_spring = "<tr><td>International Students Inside the US</td>"
    found = read(replaced(first_of_spring, early + first_of_spring)(PAGE))
    assert DeadlineListing(Season.SPRING, Round.EARLY_ACTION, Residency.DOMESTIC, 10, 1) in found.deadlines
