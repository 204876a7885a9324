import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.raw_values import UNREADABLE, instant_text_of, term_of, text_of

BOSTON = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Asha ", "Asha"),
        ("\ufeff\u00a0Asha\u200b", "Asha"),
        ("", None),
        (" \t\n", None),
        (None, None),
        (math.nan, None),
        (202710.0, "202710"),
        (7, "7"),
        (True, "true"),
        ('="02115"', "02115"),
        ('="Ana ""Bo"""', 'Ana "Bo"'),
        ('=""', None),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ('="a"&"b"', '="a"&"b"'),
        (" #N/A ", None),
        ("#REF!", None),
        ("#1 fan", "#1 fan"),
        ("Zso\u0301fia", "Zs\u00f3fia"),
        ("ناصر\u200c", "ناصر\u200c"),  # a joiner inside a script is a letter, not a blank
    ],
)
def test_values_become_trimmed_text(value: object, text: str | None) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize("value", ["a\0b", "a\nb", "\ud83d", "a\x85b", ["x"], {"x": 1}, b"x", object()])
def test_what_nobody_can_read_is_marked_for_a_rule(value: object) -> None:
    text = text_of(value)
    assert text is not None
    assert UNREADABLE in text


@given(st.text() | st.floats() | st.integers() | st.binary() | st.lists(st.text(max_size=3), max_size=3))
def test_every_text_can_be_stored(value: object) -> None:
    text = text_of(value)
    if text is not None:
        assert "\0" not in text
        text.encode("utf-8")


@pytest.mark.parametrize(
    "text",
    ["Fall 2027", "fall 2027", "2027/FALL/01", "FALL-2027", "Autumn Term 2027", "2027 Fall Semester", "fall2027"],
)
def test_terms_in_words_are_understood(text: str) -> None:
    assert term_of(text) == "fall 2027"


@pytest.mark.parametrize(
    "text", ["202710", "999999", "Summer 2027", "Fall", "2027", "Fall 2027 or Spring 2028", "Fall 27", "Fall Guy 2027"]
)
def test_other_terms_stay_as_they_are(text: str) -> None:
    assert term_of(text) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-24T15:00:00Z", "2026-11-24T15:00:00+00:00"),
        ("2026-11-24 10:00", "2026-11-24T10:00:00-05:00"),
        ("2026-10-24", "2026-10-24T00:00:00-04:00"),  # a day of the source begins at its midnight
        ("Oct 3, 2020 at 3:51 PM", "2020-10-03T15:51:00-04:00"),
    ],
)
def test_times_become_instants_of_the_sources_zone(text: str, instant: str) -> None:
    assert instant_text_of(text, BOSTON, ["%b %d, %Y at %I:%M %p"]) == instant
    assert datetime.fromisoformat(instant).tzinfo is not None


@pytest.mark.parametrize("text", ["46343.4375", "46343", "########", "13/25/2026", "yesterday", "0000-00-00"])
def test_mangled_times_stay_as_they_are(text: str) -> None:
    assert instant_text_of(text, BOSTON, ["%m/%d/%Y"]) == text
