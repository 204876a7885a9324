"""Facts: each has an instant, with its zone."""

from datetime import UTC, datetime

import pytest

from enrollment_crm.domain.facts import Fact


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Fact("relay", "1", datetime(2025, 11, 1))  # noqa: DTZ001
    assert Fact("relay", "1", datetime(2025, 11, 1, tzinfo=UTC)).fact_id == "1"
