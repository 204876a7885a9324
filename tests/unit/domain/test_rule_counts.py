"""Where a rule is going, from its counts by day."""

from datetime import date

import pytest

from enrollment_crm.domain.rule_counts import RuleDay, RuleHistory, Trend


def history(*failed: int) -> RuleHistory:
    days = tuple(RuleDay(date(2026, 11, number + 1), 100, count) for number, count in enumerate(failed))
    return RuleHistory("form", "signup", "email_missing", "email", "quarantine", days)


@pytest.mark.parametrize(
    ("failed", "trend"),
    [
        ((0, 0, 0), Trend.NONE),
        ((5,), Trend.STEADY),
        ((5, 5, 5, 6), Trend.STEADY),
        ((1, 1, 9, 9), Trend.RISING),
        ((0, 0, 0, 1), Trend.RISING),
        ((9, 9, 1, 1), Trend.FALLING),
    ],
)
def test_the_newer_half_is_compared_with_the_older(failed: tuple[int, ...], trend: Trend) -> None:
    assert history(*failed).trend is trend


def test_the_curve_has_a_character_a_day() -> None:
    assert history(0, 4, 8).sparkline == "▁▅█"
    assert history(0, 0).sparkline == "▁▁"
    assert (history(1, 2).evaluated, history(1, 2).failed) == (200, 3)
