"""Several sources side by side: each session once, and no contradiction decided by whoever comes last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enrollment_crm.domain.calendar_readings import CalendarPart, CalendarReading, SourceProblem, reconcile
from enrollment_crm.domain.listings import HoldReason, Listings
from enrollment_crm.domain.prep_sessions import PrepSession

URL = "https://crm.example/events/prep-7/"
SESSION = PrepSession(
    "prep-7", "Prep Session", datetime(2025, 11, 7, 15, tzinfo=UTC), "America/New_York", 60, "Online", URL
)
IN_THE_FEED = replace(SESSION, id="1234@feed.example", sequence=3)


def test_each_session_once_earliest_first() -> None:
    later = replace(SESSION, id="prep-8", starts=SESSION.starts + timedelta(days=14), url=URL.replace("7", "8"))
    assert reconcile(Listings(sessions=(later, SESSION, SESSION, later))).sessions == (SESSION, later)


def test_the_same_address_and_start_is_the_same_session_and_the_first_source_names_it() -> None:
    found = reconcile(Listings(sessions=(SESSION, IN_THE_FEED)))
    assert found.sessions == (replace(SESSION, sequence=3),)
    assert (found.held_back, found.warnings) == ((), ())


def test_sessions_without_an_address_are_told_apart_by_id() -> None:
    two = (replace(SESSION, url=""), replace(IN_THE_FEED, url=""))
    assert {one.id for one in reconcile(Listings(sessions=two)).sessions} == {"prep-7", "1234@feed.example"}


@pytest.mark.parametrize("changed", [{"starts": SESSION.starts + timedelta(hours=1)}, {"minutes": 90}])
def test_two_times_for_one_session_are_for_a_person(changed: dict[str, object]) -> None:
    other = replace(SESSION, **changed)  # type: ignore[arg-type]
    found = reconcile(Listings(sessions=(SESSION, other)))
    assert found.sessions == ()
    assert [(one.listing, one.reason) for one in found.held_back] == [("prep-7", HoldReason.CONTRADICTION)]
    assert "disagree about when it is: 2025-11-07 10:00 America/New_York, 60 minutes; " in found.held_back[0].words


def test_another_location_is_remarked_and_another_wording_is_not() -> None:
    other = replace(SESSION, title="Prep Sessions", location="Room 346")
    found = reconcile(Listings(sessions=(SESSION, other)))
    assert found.sessions == (SESSION,)
    assert found.warnings == ("prep-7: another source names the location 'Room 346', the first is taken",)


def test_a_session_that_one_announces_and_another_cancels_is_for_a_person() -> None:
    found = reconcile(Listings(sessions=(SESSION,), cancelled=(IN_THE_FEED,)))
    assert (found.sessions, found.cancelled) == ((), ())
    assert found.held_back[0].words == (
        "one source cancels it, another announces it for 2025-11-07 10:00 America/New_York, 60 minutes"
    )


def test_a_session_that_is_only_cancelled_is_cancelled() -> None:
    assert reconcile(Listings(cancelled=(SESSION, SESSION))).cancelled == (SESSION,)


def test_a_part_is_whole_if_it_has_a_source_and_none_failed() -> None:
    both = frozenset(CalendarPart)
    broken = SourceProblem(URL, CalendarPart.SESSIONS, "it is down", passing=True)
    reading = CalendarReading(parts=both, problems=(broken,))
    assert (reading.is_whole(CalendarPart.DEADLINES), reading.is_whole(CalendarPart.SESSIONS)) == (True, False)
    assert not CalendarReading().is_whole(CalendarPart.DEADLINES)
