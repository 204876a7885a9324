"""Dates as applicants read them: weekday, Boston's clock, and theirs where it differs."""

from datetime import UTC, datetime

import pytest

from enrollment_crm.domain.dates_in_words import days_left_in_words, for_reader, in_boston

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
LAST_MINUTE = datetime(2026, 12, 2, 4, 59, tzinfo=UTC)


def test_the_last_minute_of_a_deadline_in_boston() -> None:
    assert in_boston(LAST_MINUTE, now=NOW) == "Tuesday, December 1, 11:59 p.m. Boston"


def test_the_year_is_named_where_it_is_not_the_current_one() -> None:
    next_year = datetime(2027, 6, 2, 3, 59, tzinfo=UTC)
    assert in_boston(next_year, now=NOW) == "Tuesday, June 1, 2027, 11:59 p.m. Boston"


def test_the_current_year_is_that_of_the_clock_on_the_wall() -> None:
    """Half past eleven on New Year's Eve in Boston: UTC is a year ahead."""
    new_years_eve = datetime(2027, 1, 1, 4, 30, tzinfo=UTC)
    assert in_boston(new_years_eve, now=NOW) == "Thursday, December 31, 11:30 p.m. Boston"
    assert in_boston(LAST_MINUTE, now=new_years_eve) == "Tuesday, December 1, 11:59 p.m. Boston"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Shanghai", "Wednesday, December 2, 12:59 p.m. in Shanghai"),
        ("Asia/Kolkata", "Wednesday, December 2, 10:29 a.m. in Kolkata"),
        ("Asia/Kathmandu", "Wednesday, December 2, 10:44 a.m. in Kathmandu"),
        ("Pacific/Apia", "Wednesday, December 2, 5:59 p.m. in Apia"),
        ("Australia/Lord_Howe", "Wednesday, December 2, 3:59 p.m. in Lord Howe"),
        ("America/Los_Angeles", "Tuesday, December 1, 8:59 p.m. in Los Angeles"),
        ("America/Argentina/Buenos_Aires", "Wednesday, December 2, 1:59 a.m. in Buenos Aires"),
        ("Europe/London", "Wednesday, December 2, 4:59 a.m. in London"),
        ("UTC", "Wednesday, December 2, 4:59 a.m. on the clock of UTC"),
        ("Etc/GMT-3", "Wednesday, December 2, 7:59 a.m. on the clock of Etc/GMT-3"),
    ],
)
def test_the_readers_own_clock(zone: str, words: str) -> None:
    assert for_reader(LAST_MINUTE, zone, now=NOW) == words


@pytest.mark.parametrize("zone", ["America/New_York", "America/Toronto", "America/Panama"])
def test_a_reader_whose_clock_shows_bostons_hour_is_told_once(zone: str) -> None:
    assert for_reader(LAST_MINUTE, zone, now=NOW) == ""


def test_panama_differs_from_boston_in_summer() -> None:
    june = datetime(2027, 6, 2, 3, 59, tzinfo=UTC)
    assert for_reader(june, "America/Panama", now=NOW) == "Tuesday, June 1, 2027, 10:59 p.m. in Panama"


@pytest.mark.parametrize(
    ("hour", "words"), [(5, "12:00 a.m."), (17, "12:00 p.m."), (6, "1:00 a.m."), (18, "1:00 p.m."), (16, "11:00 a.m.")]
)
def test_midnight_is_12_am_and_noon_12_pm(hour: int, words: str) -> None:
    assert words in in_boston(datetime(2026, 12, 2, hour, tzinfo=UTC), now=NOW)


@pytest.mark.parametrize(("days", "words"), [(0, "today"), (1, "tomorrow"), (2, "in 2 days"), (30, "in 30 days")])
def test_days_left(days: int, words: str) -> None:
    assert days_left_in_words(days) == words
