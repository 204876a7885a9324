"""Rate limits: so many at once, and so many again in a period, for each key by itself."""

import pytest

from enrollment_crm.domain import rate_limits
from enrollment_crm.domain.rate_limits import RateLimit, RateLimiter

THREE_A_MINUTE = RateLimit(3, 60)


def waits(limiter: RateLimiter, *instants: float, key: str = "a") -> list[float]:
    return [limiter.wait_for(key, at=at) for at in instants]


def test_so_many_at_once_and_then_a_wait() -> None:
    assert waits(RateLimiter(THREE_A_MINUTE), 0, 0, 0, 0, 5) == [0, 0, 0, 20, 15]


def test_tokens_come_back_steadily_and_never_more_than_the_limit() -> None:
    limiter = RateLimiter(THREE_A_MINUTE)
    assert waits(limiter, 0, 0, 0, 20, 20, 1e6, 1e6, 1e6, 1e6) == [0, 0, 0, 0, 20, 0, 0, 0, 20]


def test_whoever_asks_in_vain_waits_no_longer_for_it() -> None:
    assert waits(RateLimiter(THREE_A_MINUTE), 0, 0, 0, *range(1, 20), 20)[-1] == 0


def test_each_key_has_a_bucket_of_its_own() -> None:
    limiter = RateLimiter(RateLimit(1, 60))
    assert [limiter.wait_for(key, at=0) for key in "aabb"] == [0, 60, 0, 60]


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    assert waits(RateLimiter(RateLimit(1, 60)), 100, 40, 60) == pytest.approx([0, 60, 40])


def test_memory_is_bounded_and_the_oldest_key_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "_MOST_KEYS", 2)
    limiter = RateLimiter(RateLimit(1, 60))
    assert [limiter.wait_for(key, at=0) for key in "abcba"] == [0, 0, 0, 60, 0]
