"""What a rehearsal makes of each kind of fact, beyond the solved cases."""

from collections.abc import Mapping
from typing import Any

from tests.rehearsal.conftest import Perform

ANA, BEN = "ana@example.edu", "ben@example.edu"
SIGNUP = {
    "at": "2025-09-01T12:00:00Z",
    "kind": "signup",
    "email": ANA,
    "entry_term": "spring 2026",
    "residency": "domestic",
    "time_zone": "America/New_York",
    "country": "US",
}
SESSION = {
    "at": "2025-09-01T12:00:00Z",
    "kind": "session",
    "session": "prep-1",
    "starts": "2025-11-07T10:00",
    "zone": "EST",
    "minutes": 60,
}


def fact(at: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"at": at, "kind": kind, "email": ANA} | fields


def sends(result: Mapping[str, Any], kind: str = "deadline_reminder") -> list[str]:
    """Instant, address and offsets of each message."""
    return [
        f"{one['at'][5:16]} {one['email'].partition('@')[0]} {'+'.join(str(c.get('offset')) for c in one['covers'])}"
        for one in result["sends"]
        if one["kind"] == kind
    ]


def test_an_erased_person_keeps_the_address_in_the_result_and_a_new_one_starts_anew(rehearsed: Perform) -> None:
    result = rehearsed(
        SIGNUP,
        fact("2025-11-02T12:00:00Z", "erasure"),
        SIGNUP | {"at": "2025-11-20T16:00:00Z"},
    )
    assert sends(result) == ["11-01T14:00 ana 30d", "11-20T16:00 ana 14d", "11-24T15:00 ana 7d", "11-30T15:00 ana 1d"]
    assert {(row["email"], row["reason"]) for row in result["withheld"]} == {(ANA, "erased"), (ANA, "collapsed")}
    assert sends(result, "welcome") == ["09-01T12:00 ana None", "11-20T16:00 ana None"]


def test_a_fact_that_arrives_once_more_is_not_new(rehearsed: Perform) -> None:
    """The signup that is delivered again after the withdrawal is no new consent."""
    result = rehearsed(
        SIGNUP,
        fact("2025-10-01T12:00:00Z", "unsubscribe"),
        fact("2025-10-02T12:00:00Z", "redeliver", of=0),
    )
    assert sends(result) == []
    assert {row["reason"] for row in result["withheld"]} == {"unsubscribed"}


def test_facts_that_arrive_in_an_outage_are_read_at_its_end_in_their_order(rehearsed: Perform) -> None:
    result = rehearsed(
        fact("2025-11-17T00:00:00Z", "outage", until="2025-11-18T15:00:00Z"),
        SIGNUP | {"at": "2025-11-17T01:00:00Z"},
        fact("2025-11-17T02:00:00Z", "entry_term", **{"from": "spring 2026", "to": "fall 2026"}),
    )
    (caught_up, *_) = [one for one in result["sends"] if one["kind"] == "deadline_reminder"]
    assert caught_up["at"] == "2025-11-18T15:00:00Z"
    assert [(one["entry_term"], one["offset"], one["catch_up"]) for one in caught_up["covers"]] == [
        ("fall 2026", "14d", True)
    ]


def test_what_runs_again_side_by_side_sends_nothing_again(rehearsed: Perform) -> None:
    at = "2025-11-24T15:00:00Z"
    once = rehearsed(SIGNUP, SIGNUP | {"email": BEN})
    again = rehearsed(SIGNUP, SIGNUP | {"email": BEN}, {"at": at, "kind": "rerun", "times": 4})
    assert sends(again) == sends(once)
    assert len(sends(once)) == 8


def test_a_sessions_whole_life(rehearsed: Perform) -> None:
    result = rehearsed(
        SESSION,
        fact("2025-09-02T12:00:00Z", "registration", session="prep-1"),
        SIGNUP | {"email": BEN, "at": "2025-09-02T12:00:00Z"},
        fact("2025-11-06T20:00:00Z", "session_moved", session="prep-1", starts="2025-11-10T10:00"),
        fact("2025-11-10T14:30:00Z", "session_cancelled", session="prep-1"),
    )
    assert sends(result, "session_confirmation") == ["09-02T12:00 ana None"]
    assert sends(result, "session_invitation") == ["10-31T14:00 ben 7d"]
    assert sends(result, "session_reminder") == [
        "10-31T14:00 ana 7d",
        "11-06T15:00 ana 1d",
        "11-09T15:00 ana 1d",
        "11-10T14:00 ana 1h",
    ]
    assert sends(result, "session_moved") == ["11-06T20:00 ana None"]
    assert sends(result, "session_cancelled") == ["11-10T14:30 ana None"]


def test_a_zone_that_does_not_exist_is_a_warning(rehearsed: Perform) -> None:
    result = rehearsed(SIGNUP | {"time_zone": "Mars/Olympus", "country": "CN"})
    (warning,) = result["warnings"]
    assert (warning["email"], warning["about"]) == (ANA, "time_zone")
    assert sends(result)[0] == "11-01T02:00 ana 30d"  # ten in Shanghai


def test_settings_of_the_cadence_can_be_others(rehearsed: Perform) -> None:
    result = rehearsed(SIGNUP, config={"offsets_in_days": [3], "hour": "12:30"})
    assert sends(result) == ["11-28T17:30 ana 3d"]


def test_two_programs_of_one_term_are_two_deadlines_in_one_message(rehearsed: Perform) -> None:
    result = rehearsed(SIGNUP, SIGNUP | {"program": "ms-another"})
    assert sends(result)[0] == "11-01T14:00 ana 30d+30d"


def test_nothing_happens_after_the_end(rehearsed: Perform) -> None:
    result = rehearsed(SIGNUP, SIGNUP | {"email": BEN, "at": "2025-11-18T00:00:00Z"}, end="2025-11-17T15:00:00Z")
    assert sends(result) == ["11-01T14:00 ana 30d", "11-17T15:00 ana 14d"]
    assert {one["email"] for one in result["sends"]} == {ANA}
