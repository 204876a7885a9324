"""All sources of a program at once, over a real socket: what fails is reported, and hides nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from tests.unit.sources.saved_pages import NOW, html

from enrollment_crm.domain.calendar_readings import CalendarPart, CalendarReading
from enrollment_crm.domain.listings import HoldReason
from enrollment_crm.domain.programs import CalendarSources, Program
from enrollment_crm.sources.calendar_readings import read_calendar_sources
from enrollment_crm.sources.programs import read_programs

CONFIGURED = read_programs(Path(__file__).parents[3] / "config" / "programs")["ms-advanced-intelligent-manufacturing"]
PROGRAM, EVENTS = html("program-page"), html("events-page")
PATHS = ("/program/", "/events/", "/x.ics")
FEED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//crm.example//EN
BEGIN:VEVENT
UID:special@crm.example
SUMMARY:Graduate Application Prep Session (evening)
DTSTART;TZID=America/New_York:20251113T190000
DURATION:PT45M
LOCATION:Online
END:VEVENT
END:VCALENDAR
"""
Edit = Callable[[str], str]


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


def reading(
    site: HTTPServer, program_page: str | None = PROGRAM, events: str | None = EVENTS, feed: str | None = FEED
) -> CalendarReading:
    """The reading of a site that serves these; None: the server answers 404."""
    served = {
        "/program/": (program_page, "text/html"),
        "/events/": (events, "text/html"),
        "/x.ics": (feed, "text/calendar"),
    }
    for path, (text, kind) in served.items():
        site.expect_request(path).respond_with_data(text or "", 404 if text is None else 200, content_type=kind)
    sources = CalendarSources(
        site.url_for("/program/"), (site.url_for("/events/"),), (site.url_for("/x.ics"),), "prep session"
    )
    return read_calendar_sources(replace(CONFIGURED, calendar_sources=sources), now=NOW, timeout_in_seconds=5)


def ahead(program: Program = CONFIGURED) -> set[tuple[str, date]]:
    return {(str(one.group), one.stated_date) for one in program.deadlines if one.ends_at() > NOW}


def stated(found: CalendarReading) -> set[tuple[str, date]]:
    return {(str(one.group), one.stated_date) for one in found.deadlines}


def ids(found: CalendarReading) -> list[str]:
    return [one.id.removeprefix("graduate-application-prep-sessions-") for one in found.sessions]


def test_everything_is_read_and_each_session_is_there_once(site: HTTPServer) -> None:
    found = reading(site)
    assert stated(found) == ahead()
    assert len(found.deadlines) == len(ahead())
    assert ids(found) == ["7", "special@crm.example", "8", "9", "10"]
    assert (found.held_back, found.warnings, found.problems, found.cancelled) == ((), (), (), ())
    assert all(found.is_whole(part) for part in CalendarPart)
    assert len(site.log) == 3


def test_a_session_without_an_address_has_the_programs(site: HTTPServer) -> None:
    assert {one.url for one in reading(site).sessions if one.id.startswith("special")} == {CONFIGURED.url}


def test_what_the_page_states_is_the_configured_terms(site: HTTPServer) -> None:
    found = reading(site, PROGRAM.replace("June&nbsp;1", "June 15"))
    assert stated(found) ^ ahead() == {
        (str(one.group), day)
        for one in CONFIGURED.deadlines
        if (one.stated_date.month, one.stated_date.day) == (6, 1) and one.ends_at() > NOW
        for day in (one.stated_date, one.stated_date.replace(day=15))
    }


def test_a_broken_list_of_events_does_not_hide_the_dates(site: HTTPServer) -> None:
    found = reading(site, PROGRAM.replace("10:00am", "25:00am"))
    assert stated(found) == ahead()
    assert [(one.source, one.part, one.passing) for one in found.problems] == [
        (site.url_for("/program/"), CalendarPart.SESSIONS, False)
    ]
    assert "'25:00am' is not an hour such as '10:00am'" in found.problems[0].words
    assert (found.is_whole(CalendarPart.DEADLINES), found.is_whole(CalendarPart.SESSIONS)) == (True, False)
    assert ids(found) == ["7", "special@crm.example", "8", "9", "10"]  # the events page has them too


def test_broken_dates_do_not_hide_the_events(site: HTTPServer) -> None:
    found = reading(site, PROGRAM.replace("June&nbsp;1", "Rolling"))
    assert found.deadlines == ()
    assert [(one.part, one.passing) for one in found.problems] == [(CalendarPart.DEADLINES, False)]
    assert len(found.sessions) == 5


def test_a_page_that_is_not_there_is_a_problem_of_both_its_parts(site: HTTPServer) -> None:
    found = reading(site, program_page=None)
    assert [(one.part, "answers 404" in one.words) for one in found.problems] == [
        (CalendarPart.DEADLINES, True),
        (CalendarPart.SESSIONS, True),
    ]
    assert (found.deadlines, len(found.sessions)) == ((), 5)


def test_each_source_that_fails_is_named(site: HTTPServer) -> None:
    found = reading(site, None, None, "<html>Sign in</html>")
    assert {one.source for one in found.problems} == {site.url_for(path) for path in PATHS}
    assert (found.deadlines, found.sessions, found.held_back) == ((), (), ())


def test_a_server_that_is_down_can_be_asked_again(site: HTTPServer) -> None:
    site.expect_request("/program/").respond_with_data("", 500)
    sources = CalendarSources(program_page=site.url_for("/program/"))
    found = read_calendar_sources(replace(CONFIGURED, calendar_sources=sources), now=NOW)
    assert {one.passing for one in found.problems} == {True}


def test_two_pages_that_disagree_are_for_a_person(site: HTTPServer) -> None:
    found = reading(site, events=EVENTS.replace("12:00pm &mdash; 1:00pm", "2:00pm &mdash; 3:00pm", 1))
    assert ids(found) == ["7", "special@crm.example", "9", "10"]
    assert [(one.listing, one.reason) for one in found.held_back] == [
        ("graduate-application-prep-sessions-8", HoldReason.CONTRADICTION)
    ]


def test_what_is_held_back_and_remarked_comes_along(site: HTTPServer) -> None:
    pages = [
        text.replace("&nbsp;EST", "&nbsp;EDT", 1).replace("Dec</span>", "Sep</span>") for text in (PROGRAM, EVENTS)
    ]
    found = reading(site, *pages)
    assert [one.reason for one in found.held_back if one.listing.endswith("-9")] == [HoldReason.LISTING_YEAR]
    assert len([one for one in found.warnings if "the label EDT disagrees" in one]) == 1


def test_dates_of_groups_that_are_not_configured_are_held_back(site: HTTPServer) -> None:
    early = "<tr><th>Early Action</th><th>October 1</th></tr><tr><th>International Students Outside the US</th>"
    found = reading(site, PROGRAM.replace("<tr><th>International Students Outside the US</th>", early))
    assert [(one.listing, one.reason) for one in found.held_back] == [
        (f"spring early_action {group}", HoldReason.NOT_CONFIGURED)
        for group in ("domestic", "international_inside_us", "international_outside_us")
    ]
    assert stated(found) == ahead()


def test_a_program_without_sources_is_not_read() -> None:
    found = read_calendar_sources(replace(CONFIGURED, calendar_sources=CalendarSources()), now=NOW)
    assert found == CalendarReading()
    assert not found.is_whole(CalendarPart.SESSIONS)


def test_the_same_reading_later_speaks_of_what_is_ahead_then(site: HTTPServer) -> None:
    site.expect_request("/program/").respond_with_data(PROGRAM, content_type="text/html")
    program = replace(CONFIGURED, calendar_sources=CalendarSources(program_page=site.url_for("/program/")))
    found = read_calendar_sources(program, now=datetime(2026, 7, 15, tzinfo=UTC))
    assert min(one.stated_date for one in found.deadlines) == date(2026, 8, 1)
