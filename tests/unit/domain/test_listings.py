"""R11 and R12: what a listing means whose zone is a label and whose date has no year."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from enrollment_crm.domain.instants import NaiveDatetimeError
from enrollment_crm.domain.listings import (
    FURTHEST_IN_DAYS,
    HoldReason,
    ListingError,
    Listings,
    SessionListing,
    first_occurrence,
    read_session,
)

NEW_YORK = ZoneInfo("America/New_York")
LISTING = SessionListing(
    id="prep-7",
    title="Prep Session",
    month=11,
    day=7,
    year=None,
    starts=time(10),
    ends=time(11),
    zone_label="EST",
    location="Online",
    url="https://crm.example/events/prep-7/",
)
NOON_OF_1_NOVEMBER = datetime(2025, 11, 1, 12, tzinfo=NEW_YORK)
DAYS = st.dates(date(2000, 1, 1), date(2098, 12, 31))


def read(now: datetime = NOON_OF_1_NOVEMBER, **changed: object) -> Listings:
    return read_session(replace(LISTING, **changed), now=now)  # type: ignore[arg-type]


def test_a_listing_of_the_real_page() -> None:
    (session,) = read().sessions
    assert session.starts == datetime(2025, 11, 7, 15, tzinfo=UTC)
    assert (session.id, session.zone, session.minutes, session.sequence) == ("prep-7", "America/New_York", 60, 0)
    assert read() == Listings(sessions=(session,))


@given(st.dates(date(2025, 1, 1), date(2032, 12, 31)), st.sampled_from(["EST", "EDT", "ET", "est", "Edt"]))
def test_r11_every_label_is_new_yorks_wall_clock_on_every_day(day: date, label: str) -> None:
    found = read(
        datetime.combine(day, time(1), NEW_YORK), month=day.month, day=day.day, starts=time(9), zone_label=label
    )
    (session,) = found.sessions
    assert session.local_start == datetime.combine(day, time(9), NEW_YORK)
    summer = session.local_start.utcoffset() == timedelta(hours=-4)
    disagrees = label.upper() == ("EST" if summer else "EDT")
    assert [f"prep-7: the label {label} disagrees" in one for one in found.warnings] == [True] * disagrees


def test_r11_a_label_that_disagrees_says_what_was_done() -> None:
    now = datetime(2025, 7, 1, 12, tzinfo=UTC)
    assert read(now, month=7, day=4).warnings == (
        "prep-7: the label EST disagrees with the date: New York has EDT then; its wall clock was taken",
    )


def test_r11_an_iana_name_is_itself() -> None:
    (session,) = read(zone_label="Europe/Berlin").sessions
    assert (session.starts, session.zone) == (datetime(2025, 11, 7, 9, tzinfo=UTC), "Europe/Berlin")


@pytest.mark.parametrize("label", ["PST", "CST", "Eastern", "IST", "UTC+5", ""])
def test_r11_an_unknown_label_is_an_error_that_names_the_listing(label: str) -> None:
    with pytest.raises(ListingError, match=r"^prep-7: .* is not a time zone: write an IANA name"):
        read(zone_label=label)


@given(read_on=DAYS, listed=DAYS)
def test_r12_no_year_means_the_first_occurrence_on_or_after_the_day_it_was_read(read_on: date, listed: date) -> None:
    found = first_occurrence(listed.month, listed.day, read_on=read_on)
    assert (found.month, found.day) == (listed.month, listed.day)
    assert found >= read_on
    assume((listed.month, listed.day) != (2, 29))
    assert found.replace(year=found.year - 1) < read_on


@given(read_on=DAYS, ahead=st.integers(0, 364))
def test_r12_over_300_days_ahead_is_for_a_person_to_decide(read_on: date, ahead: int) -> None:
    day = read_on + timedelta(days=ahead)
    assume((day.month, day.day) != (2, 29))
    found = read(datetime.combine(read_on, time(12), NEW_YORK), month=day.month, day=day.day)
    if ahead <= FURTHEST_IN_DAYS:
        assert [one.local_start.date() for one in found.sessions] == [day]
        assert not found.held_back
    else:
        assert not found.sessions
        assert [(one.listing, one.reason) for one in found.held_back] == [("prep-7", HoldReason.LISTING_YEAR)]
        assert f"{ahead} days after it was read ({read_on})" in found.held_back[0].words


def test_r12_yesterdays_listing_is_not_next_years() -> None:
    held = read(datetime(2025, 11, 8, 12, tzinfo=NEW_YORK)).held_back[0]
    assert held.words == (
        "7 November names no year and comes next on 2026-11-07, 364 days after it was read (2025-11-08), "
        "more than 300: is it over, or of another year?"
    )


@pytest.mark.parametrize(
    ("now", "year"),
    [
        (datetime(2025, 11, 8, 4, 59, tzinfo=UTC), 2025),  # still 7 November in New York
        (datetime(2025, 11, 8, 5, 0, tzinfo=UTC), None),
    ],
)
def test_r12_the_day_it_was_read_is_new_yorks(now: datetime, year: int | None) -> None:
    assert [one.starts.year for one in read(now).sessions] == ([year] if year else [])


def test_29_february_in_a_year_without_one_is_said_in_words() -> None:
    words = read(datetime(2026, 2, 1, tzinfo=UTC), month=2, day=29).held_back[0].words
    assert "29 February names no year, 2026 has no such day, and the next is in 2028, 759 days after" in words
    with pytest.raises(ListingError, match="29 February 2027 does not exist"):
        read(month=2, day=29, year=2027)


def test_29_february_that_comes_soon_is_one() -> None:
    (session,) = read(datetime(2027, 12, 1, tzinfo=UTC), month=2, day=29).sessions
    assert session.local_start.date() == date(2028, 2, 29)


def test_no_century_is_a_leap_year_by_itself() -> None:
    assert first_occurrence(2, 29, read_on=date(2097, 1, 1)) == date(2104, 2, 29)


@pytest.mark.parametrize(("month", "day"), [(2, 30), (4, 31), (1, 0), (12, 32)])
def test_a_date_that_no_year_has_is_an_error(month: int, day: int) -> None:
    with pytest.raises(ListingError, match="does not exist"):
        read(month=month, day=day)


def test_a_year_that_is_named_is_taken_unless_it_is_a_slip() -> None:
    assert read(year=2027).sessions[0].starts.year == 2027
    (held,) = read(year=2062).held_back
    assert (held.reason, held.words) == (HoldReason.UNCERTAIN, "it is listed for 2062-11-07: is that the year?")


def test_a_session_of_the_past_is_only_remarked() -> None:
    assert read(year=2024) == Listings(warnings=("prep-7: it was on 2024-11-07, and is still listed",))


def test_a_session_across_midnight_ends_on_the_next_day() -> None:
    assert read(starts=time(23, 30), ends=time(0, 15)).sessions[0].minutes == 45


def test_its_length_is_what_clocks_show_also_when_they_change() -> None:
    over_the_change = read(month=11, day=2, starts=time(0, 30), ends=time(2, 30))
    assert over_the_change.sessions[0].minutes == 180


@pytest.mark.parametrize(("starts", "ends"), [(time(10), time(10)), (time(11), time(10)), (time(8), time(20, 1))])
def test_half_a_day_is_no_session(starts: time, ends: time) -> None:
    with pytest.raises(ListingError, match="is no length of a session"):
        read(starts=starts, ends=ends)


def test_no_location_is_remarked() -> None:
    assert read(location="").warnings == ("prep-7: no location is named",)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError):
        read(NOON_OF_1_NOVEMBER.replace(tzinfo=None))
