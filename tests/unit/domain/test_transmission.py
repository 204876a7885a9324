"""A group is as much as leaves in a moment."""

from datetime import timedelta

import pytest

from enrollment_crm.domain.transmission import FIRST_GROUP, LARGEST_GROUP, MOMENT, next_group_size


@pytest.mark.parametrize(
    ("size", "took_in_moments", "expected"),
    [
        (4, 0.1, 8),  # fast: twice as many, and no more
        (4, 0.8, 5),
        (4, 1.0, 4),
        (8, 4.0, 2),
        (8, 100.0, 1),  # never none
        (32, 0.1, LARGEST_GROUP),
        (1, 0.0, 2),
    ],
)
def test_next_group_size(size: int, took_in_moments: float, expected: int) -> None:
    assert next_group_size(size, took=MOMENT * took_in_moments) == expected


def test_a_slow_relay_gets_one_message_at_a_time() -> None:
    size = FIRST_GROUP
    for _ in range(3):
        size = next_group_size(size, took=timedelta(seconds=size * 0.2))
    assert size == 1
