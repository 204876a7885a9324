"""Prep sessions as readers are told of them."""

from datetime import UTC, datetime, timedelta

import pytest

from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.sessions_in_words import session_in_list, session_in_words, starts_in_words

#: Ten in Boston on a Wednesday.
STARTS = datetime(2026, 11, 25, 15, tzinfo=UTC)
SESSION = PrepSession("prep-1", "Prep Session", STARTS, "America/New_York", 45, "Online", "https://crm.example/1")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(days=7), "in 7 days"),
        (timedelta(days=1), "tomorrow"),
        (timedelta(hours=13), "tomorrow"),
        (timedelta(hours=12), "in 12 hours"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(minutes=54), "in 54 minutes"),
        (timedelta(seconds=20), "in 1 minute"),
    ],
)
def test_how_soon_it_starts(before: timedelta, words: str) -> None:
    assert starts_in_words(SESSION, now=STARTS - before) == words


def test_a_session_for_a_reader_elsewhere() -> None:
    assert session_in_words(SESSION, "Asia/Shanghai", now=STARTS - timedelta(days=7)) == {
        "session_title": "Prep Session",
        "session_in_boston": "Wednesday, November 25, 10:00 a.m. Boston",
        "session_for_reader": "Wednesday, November 25, 11:00 p.m. in Shanghai",
        "session_minutes": 45,
        "session_location": "Online",
        "session_url": "https://crm.example/1",
        "starts_in_words": "in 7 days",
    }


def test_a_session_in_a_list_for_a_reader_in_boston_time() -> None:
    assert session_in_list(SESSION, "America/New_York", now=STARTS - timedelta(days=7)) == {
        "title": "Prep Session",
        "in_boston": "Wednesday, November 25, 10:00 a.m. Boston",
        "for_reader": "",
        "url": "https://crm.example/1",
    }
