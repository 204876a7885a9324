"""R7: which refusals mean that an address does not exist."""

from datetime import UTC, datetime, timedelta

import pytest

from enrollment_crm.domain.bounces import (
    Bounce,
    BounceClass,
    class_of_bounce,
    enhanced_status,
    is_hard_bounce,
    why_dead,
)
from enrollment_crm.domain.suppressions import SuppressionReason


@pytest.mark.parametrize(
    "reply", ["5.1.1", "5.1.10", "5.2.1", "550 5.1.1 <recipient> unknown", "556 5.1.10 null MX", "550-5.2.1 disabled"]
)
def test_a_hard_bounce(reply: str) -> None:
    assert is_hard_bounce(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "5.1.2",
        "5.1.11",
        "5.1.100",
        "5.2.2",  # mailbox full
        "5.7.1",  # ours, not the address's
        "550 no such user",  # no enhanced code says which
        "4.1.1",
        "4.2.2",
        "15.1.1",
        "550 5.7.1 see 5.1.1",  # the first code is the reply's own
        "250 2.1.5 OK",
        "",
    ],
)
def test_no_hard_bounce(reply: str) -> None:
    assert not is_hard_bounce(reply)


FIRST = datetime(2025, 11, 1, 14, tzinfo=UTC)
A_DAY, AN_INSTANT = timedelta(days=1), timedelta(microseconds=1)


def bounces(*statuses: str, every: timedelta = A_DAY) -> list[Bounce]:
    return [Bounce(status, FIRST + every * number) for number, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "dead"),
    [
        ((), False),
        (("5.1.1",), True),
        (("4.2.2", "5.2.1"), True),
        (("5.7.1", "5.2.2", "5.4.4"), False),  # other 5.x.x withhold nothing, however many
        (("4.2.2",), False),
        (("4.2.2", "4.4.1"), False),
        (("4.2.2", "4.4.1", "4.2.2"), True),
        (("4.2.2", "5.7.1", "4.2.2"), False),
    ],
)
def test_one_hard_bounce_or_three_soft_ones_end_all_writing(statuses: tuple[str, ...], dead: bool) -> None:
    assert (why_dead(bounces(*statuses)) is not None) is dead


def test_three_soft_bounces_count_within_14_days_and_not_an_instant_longer() -> None:
    assert why_dead(bounces("4.2.2", "4.2.2", "4.2.2", every=A_DAY * 7))
    assert not why_dead(bounces("4.2.2", "4.2.2", "4.2.2", every=A_DAY * 7 + AN_INSTANT))


def test_any_three_that_follow_each_other_count_in_whatever_order_they_are_known() -> None:
    far_apart = bounces("4.2.2", "4.2.2", "4.2.2", "4.2.2", every=A_DAY * 10)
    assert not why_dead(far_apart)
    near = Bounce("4.2.2", FIRST + A_DAY * 24)
    assert why_dead([near, *reversed(far_apart)])  # days 10, 20 and 24


def test_the_reason_names_what_was_enough() -> None:
    assert why_dead(bounces("4.2.2", "4.2.2", "4.2.2")) is SuppressionReason.SOFT_BOUNCES
    assert why_dead(bounces("4.2.2", "4.2.2", "4.2.2", "5.1.1")) is SuppressionReason.HARD_BOUNCE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("5.1.1", BounceClass.HARD),
        ("4.4.7", BounceClass.SOFT),
        ("5.7.1", BounceClass.POLICY),
        ("5.7.26", BounceClass.POLICY),
        ("5.2.2", BounceClass.OTHER),
        ("5.0.0", BounceClass.OTHER),
        ("", BounceClass.OTHER),
    ],
)
def test_a_status_has_one_class(status: str, expected: BounceClass) -> None:
    assert class_of_bounce(status) is expected


@pytest.mark.parametrize("text", ["host 192.0.2.1 said no", "version 4.5.6.7", "see 15.1.1", "5.1", "5.1.1234"])
def test_numbers_that_are_no_status(text: str) -> None:
    assert enhanced_status(text) is None
