"""The freshness gate as a decision: what is older than its budget, and how it is said."""

from datetime import UTC, datetime, timedelta

import pytest

from enrollment_crm.domain.freshness import (
    NOTHING_WATCHED,
    Deliveries,
    FeedWatch,
    Gate,
    GateChange,
    SourceAge,
    WatchedSource,
    in_words,
    judge,
)

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = HOUR * 24
SLATE = FeedWatch((WatchedSource("slate", DAY),))


def age_of(known: Deliveries | None, watch: FeedWatch = SLATE) -> timedelta:
    (source,) = judge(watch, {"slate": known} if known else {}, NOW).sources
    return source.age


@pytest.mark.parametrize(
    ("known", "age"),
    [
        (None, timedelta(0)),
        (Deliveries(first_seen=NOW - HOUR), HOUR),
        (Deliveries(first_seen=NOW - DAY, delivered_at=NOW - HOUR), HOUR),
        (Deliveries(first_seen=NOW - DAY, delivered_at=NOW + HOUR), timedelta(0)),
        (Deliveries(NOW - DAY, delivered_at=NOW, taken_in_until=NOW - HOUR * 2), timedelta(0)),
        (Deliveries(NOW - DAY, delivered_at=NOW, taken_in_until=NOW - HOUR * 2, rows_wait=True), HOUR * 2),
        (Deliveries(NOW - HOUR * 3, delivered_at=NOW, rows_wait=True), HOUR * 3),
    ],
)
def test_how_old_a_source_is(known: Deliveries | None, age: timedelta) -> None:
    assert age_of(known) == age


def test_the_watch_may_name_the_instant() -> None:
    assert age_of(Deliveries(delivered_at=NOW - DAY), FeedWatch(SLATE.sources, judged_at=NOW - HOUR)) == HOUR * 23


@pytest.mark.parametrize(("first_seen", "watched"), [(None, 0), (NOW - DAY, 1)])
def test_what_is_not_set_up_is_watched_only_if_it_once_was(first_seen: datetime | None, watched: int) -> None:
    watch = FeedWatch((WatchedSource("slate", DAY, is_set_up=False),))
    known = Deliveries(first_seen, delivered_at=NOW - DAY * 2)
    assert len(judge(watch, {"slate": known}, NOW).sources) == watched


def gate(*ages: timedelta) -> Gate:
    return Gate(tuple(SourceAge(f"source{number}", age, DAY) for number, age in enumerate(ages)))


def test_one_stale_source_closes_the_gate_and_is_the_one_named() -> None:
    assert not gate(HOUR, DAY).is_closed
    closed = gate(HOUR, DAY + timedelta(seconds=1), DAY * 2)
    assert closed.is_closed
    assert closed.reason == (
        "applications feed source1 last came 24 h ago, budget 24 h; applications feed source2 last came 48 h ago, "
        "budget 24 h"
    )
    assert closed.in_words() == f"closed: {closed.reason}"


def test_nothing_to_watch_is_an_open_gate_and_says_so() -> None:
    nothing = judge(NOTHING_WATCHED, {}, NOW)
    assert not nothing.is_closed
    assert "nothing to watch" in nothing.in_words()


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (SourceAge("slate", HOUR * 31, DAY), "applications feed slate last came 31 h ago, budget 24 h"),
        (
            SourceAge("slate", HOUR * 31, DAY, has_delivered=False),
            "applications feed slate was set up 31 h ago and has not come yet, budget 24 h",
        ),
        (
            SourceAge("slate", HOUR * 31, DAY, rows_wait=True),
            "applications feed slate was last taken in 31 h ago and rows of it wait, budget 24 h",
        ),
    ],
)
def test_an_age_in_words(age: SourceAge, words: str) -> None:
    assert age.in_words() == words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min"), (0.9, "0 min"), (30, "30 min"), (60, "1 h"), (24 * 60 + 5, "24 h 5 min"), (31 * 60, "31 h")],
)
def test_a_duration_in_words(minutes: float, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words


def test_what_operations_are_told_names_the_feed_and_counts_people() -> None:
    closed, opened = GateChange(gate(DAY * 2), 412).in_words(), GateChange(gate(HOUR), 412).in_words()
    for part in ("has closed", "source0 last came 48 h ago, budget 24 h", "412 people so far"):
        assert part in closed
    for part in ("is open", "source0 last came 1 h ago", "412 people"):
        assert part in opened
