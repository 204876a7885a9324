"""How many messages a domain gets, and when the others have their turn."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.pacing import Pace, limited_domain, share_out

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
FRESH = Pace(NOW, NOW)
SECOND = timedelta(seconds=1)


def test_a_tenth_of_a_minute_may_go_at_once_and_the_others_follow_at_the_pace() -> None:
    turns = share_out(FRESH, 9, a_minute=60, now=NOW)
    assert turns.now == 6
    assert turns.later == (SECOND * 7, SECOND * 8, SECOND * 9)
    assert turns.pace == Pace(NOW + SECOND * 6, NOW + SECOND * 9)


def test_those_who_come_later_stand_behind_those_who_wait() -> None:
    first = share_out(FRESH, 9, a_minute=60, now=NOW)
    assert share_out(first.pace, 2, a_minute=60, now=NOW).later == (SECOND * 10, SECOND * 11)


def test_however_slow_the_pace_is_one_goes_when_its_turn_has_come() -> None:
    turns = share_out(FRESH, 2, a_minute=1, now=NOW)
    assert (turns.now, turns.later) == (1, (timedelta(minutes=2),))
    assert share_out(turns.pace, 1, a_minute=1, now=NOW + SECOND * 59).now == 0
    assert share_out(turns.pace, 1, a_minute=1, now=NOW + SECOND * 60).now == 1


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 90)), max_size=40), st.integers(1, 600))
def test_no_minute_gets_more_than_the_limit_and_a_tenth(asked: list[tuple[int, int]], a_minute: int) -> None:
    pace, now, went = FRESH, NOW, []
    for wanted, pause in asked:
        turns = share_out(pace, wanted, a_minute=a_minute, now=now)
        assert turns.now + len(turns.later) == wanted
        pace = turns.pace
        went.append((now, turns.now))
        now += SECOND * pause
    for begin, _ in went:
        in_a_minute = sum(number for at, number in went if begin <= at < begin + timedelta(minutes=1))
        assert in_a_minute <= a_minute * 1.1 + 1


@pytest.mark.parametrize(
    ("address", "domain"),
    [("ana@gmail.com", "gmail.com"), ("ana@GMail.com", "gmail.com"), ("ana@gmail.com.", "gmail.com"), ("a@b.c", None)],
)
def test_the_domain_of_an_address(address: str, domain: str | None) -> None:
    assert limited_domain(address, {"gmail.com": 60}) == domain


def test_a_limit_holds_for_every_spelling_of_its_domain() -> None:
    limits = {"xn--bcher-kva.example": 60}
    for domain in ("bücher.example", "BÜCHER.example.", "XN--bcher-kva.example"):
        assert limited_domain(f"ana@{domain}", limits) == "xn--bcher-kva.example"
