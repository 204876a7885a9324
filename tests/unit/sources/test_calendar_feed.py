"""Calendar feeds: what is announced, moved, repeated and cancelled; what is not understood is held back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sources.saved_pages import NOW, TITLE

from enrollment_crm.domain.listings import HoldReason, Listings
from enrollment_crm.sources.calendar_feed import read_calendar
from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.web_documents import WebDocument

URL = "https://crm.example/calendar.ics"
START = "DTSTART;TZID=America/New_York:20251107T100000"
SEVENTH = datetime(2025, 11, 7, 15, tzinfo=UTC)
WEEK = timedelta(days=7)
WEEKLY = (START, "RRULE:FREQ=WEEKLY;COUNT=4")


def event(*lines: str, without: str = "") -> str:
    """An event as feeds write it; a line that is given replaces the one of the same name."""
    usual = [
        "UID:prep@crm.example",
        "SUMMARY:Graduate Application Prep Session",
        START,
        "DURATION:PT1H",
        "LOCATION:Online",
        "URL:https://crm.example/events/prep-7/",
    ]
    named = {line.replace(";", ":").partition(":")[0]: line for line in usual}
    own = [line.replace(";", ":").partition(":")[0] for line in lines]
    kept = [line for name, line in named.items() if name not in own and name != without]
    return "\r\n".join(["BEGIN:VEVENT", *kept, *lines, "END:VEVENT"])


def calendar(*events: str, header: str = "") -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//crm.example//EN", *filter(None, [header]), *events]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def read(text: str, now: datetime = NOW) -> Listings:
    return read_calendar(WebDocument(URL, text.encode(), None), title=TITLE, now=now)


def starts(listings: Listings) -> list[datetime]:
    return [one.starts for one in listings.sessions]


def held(listings: Listings) -> tuple[HoldReason, str]:
    (one,) = listings.held_back
    assert listings == Listings(held_back=(one,))
    return one.reason, one.words


def test_a_session_as_feeds_write_it() -> None:
    found = read(calendar(event("SEQUENCE:2"), event("UID:other", "SUMMARY:Open House")))
    (one,) = found.sessions
    assert found == Listings(sessions=(one,))
    assert (one.id, one.title, one.starts, one.zone, one.minutes, one.location, one.url, one.sequence) == (
        "prep@crm.example",
        "Graduate Application Prep Session",
        SEVENTH,
        "America/New_York",
        60,
        "Online",
        "https://crm.example/events/prep-7/",
        2,
    )


@pytest.mark.parametrize(
    ("line", "header", "instant", "zone"),
    [
        ("DTSTART:20251107T150000Z", "", SEVENTH, "America/New_York"),
        ("DTSTART:20251107T150000Z", "X-WR-TIMEZONE:America/Chicago", SEVENTH, "America/Chicago"),
        ("DTSTART:20251107T150000Z", "X-WR-TIMEZONE:UTC", SEVENTH, "America/New_York"),
        ("DTSTART:20251107T100000", "X-WR-TIMEZONE:America/Chicago", SEVENTH, "America/New_York"),  # floating: home
        ("DTSTART;TZID=Europe/Berlin:20251107T160000", "", SEVENTH, "Europe/Berlin"),
        ("DTSTART;TZID=Eastern Standard Time:20251107T100000", "", SEVENTH, "America/New_York"),
        ("DTSTART;TZID=ET:20251107T100000", "", SEVENTH, "America/New_York"),
        ("DTSTART;TZID=EST:20260707T100000", "", datetime(2026, 7, 7, 14, tzinfo=UTC), "America/New_York"),
    ],
)
def test_r11_zones(line: str, header: str, instant: datetime, zone: str) -> None:
    (one,) = read(calendar(event(line), header=header)).sessions
    assert (one.starts, one.zone, one.minutes) == (instant, zone, 60)


def test_r11_a_label_that_disagrees_is_remarked() -> None:
    (words,) = read(calendar(event("DTSTART;TZID=EST:20260707T100000"))).warnings
    assert words.startswith("prep@crm.example: the label EST disagrees with the date")


def test_r11_an_unknown_zone_is_held_back_in_words() -> None:
    reason, words = held(read(calendar(event("DTSTART;TZID=Nowhere/Land:20251107T100000"))))
    assert reason is HoldReason.INCOMPLETE
    assert words.startswith("'Nowhere/Land' is not a time zone: write an IANA name")


def test_a_zone_that_the_feed_defines_is_announced_at_home() -> None:
    rule = ["BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0500", "END:STANDARD"]
    own_zone = "\r\n".join(["BEGIN:VTIMEZONE", "TZID:Campus", *rule, "END:VTIMEZONE"])
    found = read(calendar(event("DTSTART;TZID=Campus:20251107T100000"), header=own_zone))
    assert [(one.starts, one.zone) for one in found.sessions] == [(SEVENTH, "America/New_York")]
    assert "the zone 'Campus' is known to the feed only" in found.warnings[0]


def test_the_end_may_be_stated_instead_of_the_length() -> None:
    ends = event("DTEND;TZID=America/Chicago:20251107T103000", without="DURATION")
    assert read(calendar(ends)).sessions[0].minutes == 90


@pytest.mark.parametrize(
    ("broken", "reason", "words"),
    [
        (event("DTSTART;VALUE=DATE:20251107"), HoldReason.ALL_DAY, "it is on 2025-11-07 and names no hour"),
        (event(without="DURATION"), HoldReason.INCOMPLETE, "it names no end after its start"),
        (event("DURATION:PT0S"), HoldReason.INCOMPLETE, "it names no end after its start"),
        (event("DURATION:soon"), HoldReason.INCOMPLETE, "DURATION: broken"),
        (event("DTSTART:rubbish"), HoldReason.INCOMPLETE, "DTSTART: broken"),
        (event("DTSTART:100000"), HoldReason.INCOMPLETE, "DTSTART: broken"),
        (event("DTSTART:P1D"), HoldReason.INCOMPLETE, "DTSTART: broken"),
        (event("DTSTART;VALUE=PERIOD:20251107T150000Z/PT1H"), HoldReason.INCOMPLETE, "DTSTART: broken"),
        (event("DTSTART;TZID=America/New_York:99991231T235959"), HoldReason.INCOMPLETE, "end of time"),
        (event("DURATION:20251107"), HoldReason.INCOMPLETE, "DURATION: broken"),
        (event("DTEND:110000", without="DURATION"), HoldReason.INCOMPLETE, "DTEND: broken"),
        (event(*WEEKLY, "EXDATE:100000"), HoldReason.INCOMPLETE, "EXDATE: broken"),
        (event("RECURRENCE-ID:P1D"), HoldReason.INCOMPLETE, "RECURRENCE-ID: broken"),
        (event("SEQUENCE:x"), HoldReason.INCOMPLETE, "SEQUENCE: broken"),
        (event(START, START), HoldReason.INCOMPLETE, "DTSTART: there twice"),
        (event(without="DTSTART"), HoldReason.INCOMPLETE, "DTSTART: missing"),
        (event(without="UID"), HoldReason.INCOMPLETE, "UID: missing"),
        (event("UID:"), HoldReason.INCOMPLETE, "UID: missing"),
        (event("DTSTART:99991231T150000Z"), HoldReason.UNCERTAIN, "it is listed for 9999-12-31: is that the year?"),
        (event("DURATION:P400D"), HoldReason.INCOMPLETE, "longer than 12 hours"),
        (event("no line at all"), HoldReason.INCOMPLETE, "A LINE: broken"),
        (event("STATUS:TENTATIVE"), HoldReason.UNCERTAIN, "is tentative: does it hold?"),
        (event("SUMMARY:CANCELLED: Graduate Application Prep Session"), HoldReason.UNCERTAIN, "does it hold?"),
        (event(START, "RDATE:20251114T150000Z"), HoldReason.RECURRENCE, "RDATE"),
        (event(START, "RRULE:FREQ=SOMETIMES"), HoldReason.INCOMPLETE, "RRULE: broken"),
        (event(START, "RRULE:FREQ=SECONDLY"), HoldReason.RECURRENCE, "repeats secondly"),
        (event(START, "RRULE:FREQ=DAILY;INTERVAL=0"), HoldReason.RECURRENCE, "after no time at all"),
        (event(START, "RRULE:FREQ=DAILY;BYSECOND=1,2,3"), HoldReason.RECURRENCE, "within a day"),
        (event("DTSTART;VALUE=DATE:20240101", "RRULE:FREQ=WEEKLY"), HoldReason.ALL_DAY, "names no hour"),
        (
            event(START, "RECURRENCE-ID;RANGE=THISANDFUTURE:20251107T150000Z"),
            HoldReason.RECURRENCE,
            "'this and future'",
        ),
    ],
)
def test_what_is_not_understood_is_held_back_alone(broken: str, reason: HoldReason, words: str) -> None:
    sound = event("UID:sound")
    found = read(calendar(broken, sound))
    assert [one.id for one in found.sessions] == ["sound"]
    assert [one.reason for one in found.held_back] == [reason]
    assert words in found.held_back[0].words


def test_what_is_broken_and_does_not_matter_does_not_matter() -> None:
    assert len(read(calendar(event("GEO:nowhere", "PRIORITY:high", "DTSTAMP:today"))).sessions) == 1


def test_what_is_over_is_no_listing_however_broken() -> None:
    over = event("DTSTART;TZID=Nowhere/Land:20240101T100000")
    assert read(calendar(over, event("DTSTART;VALUE=DATE:20251001"))) == Listings()


@pytest.mark.parametrize(
    ("now", "sessions"), [(datetime(2025, 11, 8, 4, 59, tzinfo=UTC), 1), (datetime(2025, 11, 8, 5, tzinfo=UTC), 0)]
)
def test_a_session_is_listed_until_the_end_of_its_day_in_new_york(now: datetime, sessions: int) -> None:
    assert len(read(calendar(event()), now).sessions) == sessions


def test_a_cancelled_session() -> None:
    found = read(calendar(event("STATUS:CANCELLED", "SEQUENCE:4", without="DURATION")))
    assert [(one.id, one.starts, one.sequence) for one in found.cancelled] == [("prep@crm.example", SEVENTH, 4)]
    assert (found.sessions, found.held_back) == ((), ())


def test_a_message_that_cancels_announces_nothing() -> None:
    found = read(calendar(event(), header="METHOD:CANCEL"))
    assert (found.sessions, [one.starts for one in found.cancelled]) == ((), [SEVENTH])


def test_the_highest_sequence_holds_in_whatever_order() -> None:
    moved = event("DTSTART:20251108T150000Z", "SEQUENCE:1")
    assert read(calendar(moved, event())).sessions == read(calendar(event(), moved)).sessions
    assert starts(read(calendar(moved, event()))) == [SEVENTH + timedelta(days=1)]
    _, words = held(read(calendar(event(), event("DTSTART:20251108T150000Z"))))
    assert words == "it is there twice, with two starts and the same SEQUENCE"


def test_a_repeated_session_keeps_its_hour_when_the_clocks_change() -> None:
    found = read(calendar(event("DTSTART;TZID=America/New_York:20260220T100000", "RRULE:FREQ=WEEKLY;COUNT=4")))
    assert {(one.local_start.hour, one.minutes) for one in found.sessions} == {(10, 60)}
    assert [one.id for one in found.sessions] == [
        "prep@crm.example/20260220T150000Z",
        "prep@crm.example/20260227T150000Z",
        "prep@crm.example/20260306T150000Z",
        "prep@crm.example/20260313T140000Z",
    ]


def test_of_a_repeated_session_only_what_is_ahead_and_in_view() -> None:
    forever = event("DTSTART;TZID=America/New_York:20200103T100000", "RRULE:FREQ=WEEKLY")
    found = starts(read(calendar(forever)))
    assert found[0] == SEVENTH
    assert found == [SEVENTH + n * WEEK - timedelta(hours=n > 17 and 1) for n in range(42)]  # summer from week 18 on


@pytest.mark.parametrize(
    ("until", "weeks"),
    [("20251121T150000Z", 3), ("20251121T145959Z", 2), ("20251121T100000", 3), ("20251121", 3), ("20251120", 2)],
)
def test_until_is_an_instant_a_wall_clock_or_a_day(until: str, weeks: int) -> None:
    found = read(calendar(event(START, f"RRULE:FREQ=WEEKLY;UNTIL={until}")))
    assert starts(found) == [SEVENTH + n * WEEK for n in range(weeks)]


@pytest.mark.parametrize(
    "excluded",
    [
        ["EXDATE;TZID=America/New_York:20251114T100000,20251128T100000"],
        ["EXDATE:20251114T150000Z", "EXDATE:20251128T150000Z"],
        ["EXDATE;VALUE=DATE:20251114,20251128"],
    ],
)
def test_excluded_occurrences(excluded: list[str]) -> None:
    assert starts(read(calendar(event(*WEEKLY, *excluded)))) == [SEVENTH, SEVENTH + 2 * WEEK]


def test_an_occurrence_that_was_moved_keeps_its_id_and_one_that_was_cancelled_is_cancelled() -> None:
    moved = event("RECURRENCE-ID:20251114T150000Z", "DTSTART:20251115T160000Z", "SEQUENCE:1")
    cancelled = event(
        "RECURRENCE-ID;TZID=America/New_York:20251121T100000",
        "DTSTART;TZID=America/New_York:20251121T100000",
        "STATUS:CANCELLED",
    )
    found = read(calendar(event(*WEEKLY), moved, cancelled))
    by_id = {one.id.partition("/")[2]: one.starts for one in found.sessions}
    assert by_id == {
        "20251107T150000Z": SEVENTH,
        "20251114T150000Z": datetime(2025, 11, 15, 16, tzinfo=UTC),
        "20251128T150000Z": SEVENTH + 3 * WEEK,
    }
    assert [one.id for one in found.cancelled] == ["prep@crm.example/20251121T150000Z"]


def test_a_cancelled_series_cancels_each_occurrence() -> None:
    found = read(calendar(event(*WEEKLY, "STATUS:CANCELLED")))
    assert (len(found.cancelled), found.sessions) == (4, ())


@settings(deadline=None)  # a machine that is busy is no failure
@given(st.integers(1, 12), st.sampled_from(["DAILY", "WEEKLY"]), st.integers(1, 9))
def test_a_count_is_a_count(count: int, frequency: str, interval: int) -> None:
    found = read(calendar(event(START, f"RRULE:FREQ={frequency};COUNT={count};INTERVAL={interval}")))
    apart = interval * (7 if frequency == "WEEKLY" else 1)
    days = [n * apart for n in range(count) if n * apart + 6 <= 299]
    assert [(one.local_start.date() - SEVENTH.date()).days for one in found.sessions] == days


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "sends no calendar: BEGIN:VCALENDAR was looked for"),
        ("<!DOCTYPE html><html>Sign in", r"sends a web page \(does it need a login\?\)"),
        ('{"events": []}', "sends no calendar"),
        ("BEGIN:VCARD\r\nEND:VCARD\r\n", "sends no calendar"),
        (calendar(event())[:-40], "is broken, or breaks off before END:VCALENDAR"),
        (calendar(event()).replace("END:VCALENDAR", ""), "is broken, or breaks off"),
        (calendar(event()) * 2, "is broken"),
        ("BEGIN:VCALENDAR\r\nrubbish\r\nEND:VCALENDAR", "is broken"),
    ],
)
def test_what_is_no_calendar(text: str, words: str) -> None:
    with pytest.raises(FeedUnreadableError, match=words) as caught:
        read(text)
    assert str(caught.value).startswith(URL)
    assert str(caught.value).endswith("correct its address in calendar_sources, or have it mended.")


def test_an_empty_calendar_is_a_calendar() -> None:
    assert read(calendar()) == Listings()


def test_a_mark_of_byte_order_and_unix_lines_are_taken() -> None:
    assert len(read("\ufeff" + calendar(event()).replace("\r\n", "\n")).sessions) == 1


@settings(deadline=None)
@given(
    st.one_of(
        st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
        st.text(alphabet="0123456789TZPWDHMS/-,;=:", max_size=40),
        st.sampled_from(["100000", "P1D", "00010101", "00010101T000000", "99991231T235959Z", "20251107T150000Z/PT1H"]),
        st.sampled_from(["FREQ=DAILY;COUNT=0", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=0"]),
    ),
    st.sampled_from(["DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RECURRENCE-ID", "STATUS", "SEQUENCE", "UID"]),
)
def test_whatever_a_property_says_nothing_crashes_and_nothing_is_lost(value: str, name: str) -> None:
    line = " ".join(value.split())
    try:
        found = read(calendar(event(f"{name}:{line}"), event("UID:sound")))
    except FeedUnreadableError:
        return
    assert "sound" in [one.id for one in found.sessions]
