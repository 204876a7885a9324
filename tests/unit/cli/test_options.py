"""Options that several commands share."""

from datetime import UTC, datetime

import pytest
import typer

from enrollment_crm.cli.options import read_instant


def test_an_instant_is_read_with_its_zone() -> None:
    assert read_instant("2026-11-24T10:00:00-05:00") == datetime(2026, 11, 24, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-24T10:00:00", "yesterday", "9999-12-31T23:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_instant_of_ours_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="Write for example 2026-11-24T10:00:00-05:00"):
        read_instant(text)
