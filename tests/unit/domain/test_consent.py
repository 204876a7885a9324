"""How long a consent holds."""

from datetime import UTC, datetime

import pytest

from enrollment_crm.domain.consent import ConsentBasis, runs_out_at


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)),
        (datetime(2026, 8, 31, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)),
    ],
)
def test_an_inquiry_holds_for_six_months_to_the_last_day_of_a_shorter_one(given: datetime, ends: datetime) -> None:
    assert runs_out_at(ConsentBasis.INQUIRY, given) == ends


def test_an_express_consent_holds_until_it_is_withdrawn() -> None:
    assert runs_out_at(ConsentBasis.EXPRESS, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_naive_instant_raises() -> None:
    with pytest.raises(ValueError, match="zone"):
        runs_out_at(ConsentBasis.INQUIRY, datetime(2026, 1, 1))  # noqa: DTZ001
