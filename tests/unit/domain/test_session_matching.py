"""Listed sessions beside those of the registry: what is the same, what a listing changes, what it cannot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enrollment_crm.domain.listings import HeldBack, HoldReason
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.session_matching import Matching, is_settled, match_sessions

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KNOWN = PrepSession(
    "prep-7",
    "Prep Session",
    datetime(2026, 11, 6, 15, tzinfo=UTC),
    "America/New_York",
    60,
    "Online",
    "https://crm.example/events/prep-7/",
    sequence=4,
    changed_at=NOW - 30 * DAY,
)
LISTED = replace(KNOWN, title="Prep Sessions", sequence=0, changed_at=None)
UNDER_ANOTHER_ID = replace(LISTED, id="1234@feed.example")


def matching(*listed: PrepSession, cancelled: tuple[PrepSession, ...] = (), known: PrepSession = KNOWN) -> Matching:
    return match_sessions(listed, cancelled, [known], now=NOW)


def doubts(found: Matching) -> list[str]:
    assert all(one.reason is HoldReason.CONTRADICTION for one in found.held_back)
    return [f"{one.listing}: {one.words}" for one in found.held_back]


@pytest.mark.parametrize(
    "listed",
    [
        LISTED,
        UNDER_ANOTHER_ID,
        replace(LISTED, url=KNOWN.url.rstrip("/")),
        replace(LISTED, location=""),
        replace(LISTED, location="ONLINE"),
        replace(LISTED, url=""),
        replace(LISTED, zone="America/Toronto"),  # the same instant on another clock
    ],
)
def test_what_is_only_worded_differently_is_no_change(listed: PrepSession) -> None:
    assert matching(listed) == Matching((KNOWN,))


def test_what_is_not_listed_is_not_touched() -> None:
    assert matching() == Matching()


def test_a_new_session_is_taken_as_it_is_listed() -> None:
    new = replace(LISTED, id="prep-8", url="https://crm.example/events/prep-8/", starts=KNOWN.starts + 14 * DAY)
    assert matching(LISTED, new).sessions == (KNOWN, new)


def test_a_new_session_at_the_hour_of_another_is_remarked() -> None:
    new = replace(LISTED, id="prep-8", url="")
    found = matching(LISTED, new)
    assert found.sessions == (KNOWN, new)
    assert found.remarks == ("prep-8 is new and begins at the same time as prep-7: are they one session?",)


def test_a_moved_session_keeps_its_title_and_its_count_of_changes() -> None:
    moved = replace(LISTED, starts=KNOWN.starts + DAY, zone="America/Chicago", minutes=45, location="Room 346")
    assert matching(moved).sessions == (
        replace(KNOWN, starts=moved.starts, zone="America/Chicago", minutes=45, location="Room 346"),
    )


def test_a_moved_session_under_another_id_is_known_by_its_address() -> None:
    moved = replace(UNDER_ANOTHER_ID, starts=KNOWN.starts + DAY)
    assert matching(moved).sessions == (replace(KNOWN, starts=moved.starts),)


def test_an_address_that_several_listings_have_tells_none_of_them_apart() -> None:
    moved, another = (replace(UNDER_ANOTHER_ID, id=f"{n}@feed", starts=KNOWN.starts + n * DAY) for n in (1, 2))
    assert matching(moved, another).sessions == (moved, another)


def test_a_session_that_is_listed_itself_is_not_moved_by_a_neighbour_with_its_address() -> None:
    neighbour = replace(UNDER_ANOTHER_ID, starts=KNOWN.starts + DAY)
    listed = replace(LISTED, url="")
    assert matching(listed, neighbour).sessions == (KNOWN, neighbour)


def test_a_session_that_two_listings_move_apart_is_for_a_person() -> None:
    found = matching(replace(LISTED, starts=KNOWN.starts + DAY), UNDER_ANOTHER_ID)
    assert found.sessions == ()
    assert doubts(found) == [
        (
            "prep-7: it is listed twice: Sat 2026-11-07 10:00 America/New_York, 60 minutes; "
            "Fri 2026-11-06 10:00 America/New_York, 60 minutes"
        )
    ]


@pytest.mark.parametrize("cancelled", [replace(LISTED, minutes=0), UNDER_ANOTHER_ID])
def test_a_feed_cancels_a_known_session(cancelled: PrepSession) -> None:
    assert matching(cancelled=(cancelled, cancelled)) == Matching(cancelled=("prep-7",))


def test_only_what_is_known_and_ahead_can_be_cancelled() -> None:
    unknown = replace(LISTED, id="prep-9", url="", starts=KNOWN.starts + DAY)
    assert matching(cancelled=(unknown,)) == Matching()
    for known in (replace(KNOWN, starts=NOW - HOUR), replace(KNOWN, cancelled_at=NOW - DAY)):
        assert matching(cancelled=(LISTED,), known=known) == Matching()


def test_a_session_that_one_announces_and_another_cancels_is_for_a_person() -> None:
    found = matching(UNDER_ANOTHER_ID, cancelled=(replace(LISTED, url="", minutes=0),))
    assert (found.sessions, found.cancelled) == ((), ())
    assert doubts(found) == [
        "prep-7: one source cancels it, another announces it for Fri 2026-11-06 10:00 America/New_York, 60 minutes"
    ]


@pytest.mark.parametrize(
    ("known", "listed", "words"),
    [
        (replace(KNOWN, starts=NOW - DAY), LISTED, "was on Sat 2026-10-31 08:00"),
        (replace(KNOWN, cancelled_at=NOW - DAY), LISTED, "was cancelled: have the page corrected"),
        (KNOWN, replace(LISTED, starts=NOW - HOUR), "which is past, and announced for Fri 2026-11-06 10:00"),
    ],
)
def test_what_a_listing_cannot_do_is_for_a_person(known: PrepSession, listed: PrepSession, words: str) -> None:
    found = matching(listed, known=known)
    assert (found.sessions, found.cancelled) == ((), ())
    assert words in doubts(found)[0]


@pytest.mark.parametrize("known", [replace(KNOWN, starts=NOW - HOUR), replace(KNOWN, cancelled_at=NOW)])
def test_a_session_that_has_begun_and_is_listed_still_is_nothing(known: PrepSession) -> None:
    assert matching(replace(LISTED, starts=NOW - HOUR), known=known) == Matching()


def test_a_listing_that_is_over_by_now_and_was_never_known_is_nothing() -> None:
    assert matching(replace(LISTED, id="prep-6", url="", starts=NOW)) == Matching()


def test_a_listing_of_another_year_needs_nobody_if_the_session_is_over() -> None:
    held = HeldBack("prep-7", HoldReason.LISTING_YEAR, "more than 300 days")
    assert is_settled(held, [replace(KNOWN, starts=NOW)], NOW)
    assert is_settled(held, [replace(KNOWN, cancelled_at=NOW)], NOW)
    assert not is_settled(held, [KNOWN], NOW)
    assert not is_settled(held, [replace(KNOWN, id="prep-6", starts=NOW)], NOW)
    assert not is_settled(replace(held, reason=HoldReason.ALL_DAY), [replace(KNOWN, starts=NOW)], NOW)
