"""Lists of events: every prep session of a list, or an error; other events do not matter."""

from collections.abc import Callable
from datetime import UTC, datetime, time

import pytest
from tests.unit.sources.saved_pages import EVENTS_URL, NOW, TITLE, html, page_of, replaced

from enrollment_crm.domain.listings import HoldReason, ListingError, Listings
from enrollment_crm.sources.events_page import SECTION, read_events
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.listed_words import read_hour

PROGRAM, EVENTS = html("program-page"), html("events-page")
PREP = "Graduate Application Prep Sessions"


def of_program(text: str = PROGRAM) -> Listings:
    return read_events(page_of(text), title=TITLE, now=NOW, section=SECTION)


def of_events(text: str = EVENTS, now: datetime = NOW) -> Listings:
    return read_events(page_of(text, EVENTS_URL), title=TITLE, now=now)


def test_the_three_of_the_program_page() -> None:
    found = of_program()
    assert [(one.id, one.starts, one.minutes) for one in found.sessions] == [
        ("graduate-application-prep-sessions-7", datetime(2025, 11, 7, 15, tzinfo=UTC), 60),
        ("graduate-application-prep-sessions-8", datetime(2025, 11, 21, 17, tzinfo=UTC), 60),
        ("graduate-application-prep-sessions-9", datetime(2025, 12, 5, 15, tzinfo=UTC), 60),
    ]
    assert {(one.title, one.zone, one.location) for one in found.sessions} == {(PREP, "America/New_York", "Online")}
    assert found == Listings(sessions=found.sessions)


def test_of_the_events_page_only_the_prep_sessions() -> None:
    found = of_events()
    assert found.sessions[:3] == of_program().sessions
    assert [(one.id, one.location) for one in found.sessions[3:]] == [
        ("graduate-application-prep-sessions-10", "Curry Student Center, Room 346")
    ]
    assert found.sessions[3].url == "https://crm.example/events/graduate-application-prep-sessions-10/"
    assert (found.held_back, found.warnings) == ((), ())


@pytest.mark.parametrize(
    "edit",
    [
        replaced("&mdash;", "&ndash;"),
        replaced("&mdash;", "-"),
        replaced("10:00am &mdash; 11:00am", "10 a.m.–11 a.m."),
        replaced("&nbsp;EST", " (ET)"),
        replaced("Location</span>", "Location:</span>"),
        replaced('href="/events/graduate', 'href="https://crm.example/events/graduate'),
        replaced('-7/"', '-7/?utm_source=list#top"'),
        replaced("Nov</span>", "November</span>"),
        replaced('<span class="event-card__day">07</span>', "7, 2025"),
        # The link around the heading instead of the heading around the link.
        lambda page: page.replace('<h3 class="event-card__heading">', "").replace("</h3>", "")
        .replace('<span class="event-card__title">', '<h3 class="event-card__title">')
        .replace(f"{PREP}</span>", f"{PREP}</h3>"),
        # The same list once more, for small screens.
        lambda page: page.replace("</main>", page[page.index("<ul class") : page.index("</main>")] + "</main>"),
    ],
)  # fmt: skip
def test_what_a_list_may_be_written_like(edit: Callable[[str], str]) -> None:
    assert edit(EVENTS) != EVENTS
    assert of_events(edit(EVENTS)).sessions == of_events().sessions


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (replaced("10:00am &mdash; 11:00am", "All day"), "a title, a date, two hours, a zone and a location"),
        (replaced('month">Nov', 'month">Soon'), "a title, a date, two hours"),
        (replaced('day">07', 'day">31'), "31 November does not exist"),
        (replaced("10:00am", "13:00pm"), "'13:00pm' is not an hour such as '10:00am'"),
        (replaced("11:00am", "10:00am"), "from 10:00 to 10:00 is no length of a session"),
        (replaced("11:00am", "9:00am"), "from 10:00 to 09:00 is no length of a session"),
        (replaced("&nbsp;EST", "&nbsp;PST"), "'PST' is not a time zone"),
        (replaced("&nbsp;EST", ""), "a title, a date, two hours, a zone"),
        (replaced('href="/events/graduate-application-prep-sessions-7/"', ""), "has no link that names it"),
        (replaced('href="/events/graduate-application-prep-sessions-7/"', 'href="javascript:x"'), "has no link"),
        (replaced('href="/events/graduate-application-prep-sessions-7/"', 'href="https://x.example/"'), "has no link"),
        (lambda page: page.replace("h3", "div"), "looked for events"),
        (
            lambda page: page.replace("<h3", "<div", 1).replace("</h3>", "</div>", 1),
            r"\d prep sessions are announced, and only \d of them as headings with a link",
        ),
    ],
)
@pytest.mark.parametrize("read", [of_program, of_events])
def test_a_list_that_cannot_be_understood_gives_nothing(
    read: Callable[[str], Listings], edit: Callable[[str], str], words: str
) -> None:
    page = (
        PROGRAM[PROGRAM.index("<!DOCTYPE") : PROGRAM.index('<section id="related')]
        + PROGRAM[PROGRAM.index('<section id="upcoming') :]
    )  # without the headings of other sections, which edits of all headings would hit
    with pytest.raises(FeedUnreadableError, match=words) as caught:
        read(edit(page if read is of_program else EVENTS))
    assert "keep the sessions in config/programs/." in str(caught.value)


def test_a_missing_section_and_an_empty_one() -> None:
    with pytest.raises(FeedUnreadableError, match="looked for the section 'Upcoming events', and it is not there"):
        of_program(PROGRAM.replace("<h2>Upcoming events", "<h2>News"))
    empty = PROGRAM[: PROGRAM.index("<ul class=")] + PROGRAM[PROGRAM.index("  </main>") :]
    with pytest.raises(FeedUnreadableError, match="looked for events under 'Upcoming events', and there are none"):
        of_program(empty)
    with pytest.raises(FeedUnreadableError, match="breaks off"):
        of_program(PROGRAM[: PROGRAM.index("graduate-application-prep-sessions-9")])


def test_a_list_that_says_it_is_empty_is_empty() -> None:
    empty = (
        PROGRAM[: PROGRAM.index("<ul class=")] + "There are no upcoming events." + PROGRAM[PROGRAM.index("</main>") :]
    )
    assert of_program(empty).sessions == ()


def test_other_events_only_are_no_error_but_remarked() -> None:
    found = of_events(EVENTS.replace(PREP, "Graduate Fair"))
    assert found.sessions == ()
    assert found.warnings == (
        "https://crm.example/events/: none of its 7 events is a prep session; if one is, correct session_title",
    )


def test_a_next_page_is_remarked() -> None:
    paged = replaced("</main>", '<a rel="next" href="/events/page/2/">Next</a></main>')(EVENTS)
    assert [one.partition(": ")[2] for one in of_events(paged).warnings] == [
        "it has a next page, which is not read: list that page under events_pages too"
    ]


@pytest.mark.parametrize("word", ["CANCELLED: ", "Canceled – ", "Postponed: "])
def test_a_title_that_says_cancelled_is_for_a_person(word: str) -> None:
    found = of_events(EVENTS.replace(PREP, word + PREP, 1))
    assert [one.id[-2:] for one in found.sessions] == ["-8", "-9", "10"]
    assert [(one.listing, one.reason) for one in found.held_back] == [
        ("graduate-application-prep-sessions-7", HoldReason.UNCERTAIN)
    ]


def test_r12_what_is_over_is_held_back_and_the_rest_is_read() -> None:
    found = of_events(now=datetime(2025, 11, 10, tzinfo=UTC))
    assert len(found.sessions) == 3
    assert [one.reason for one in found.held_back] == [HoldReason.LISTING_YEAR]


def test_r11_a_label_that_disagrees_is_remarked() -> None:
    found = of_events(EVENTS.replace("&nbsp;EST", "&nbsp;EDT", 1))
    assert found.sessions == of_events().sessions
    assert "the label EDT disagrees with the date" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12:00am", time(0)), ("12:30 PM", time(12, 30)), ("1pm", time(13)), ("11:59 p.m.", time(23, 59))],
)
def test_hours_of_a_dial(text: str, hour: time) -> None:
    assert read_hour(text) == hour


@pytest.mark.parametrize("text", ["0am", "13pm", "10:60am", "10:00", "noon", ""])
def test_what_is_no_hour(text: str) -> None:
    with pytest.raises(ListingError, match="is not an hour such as '10:00am'"):
        read_hour(text)
