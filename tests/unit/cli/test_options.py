"""Options that several commands share."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import typer

from enrollment_crm.cli.options import read_instant, read_instant_or_now


def test_an_instant_is_read_with_its_zone() -> None:
    assert read_instant("2026-11-24T10:00:00-05:00") == datetime(2026, 11, 24, 15, tzinfo=UTC)


INSTANTS_THAT_ARE_NONE = [
    ("yesterday", "'yesterday' is no instant"),
    ("", "'' is no instant"),
    ("2026-11-24", "2026-11-24 is a whole day"),
    ("20261124", "2026-11-24 is a whole day"),
    ("2026-11-24T10:00:00", "2026-11-24T10:00:00 has no zone"),
    ("9999-12-31T23:00:00Z", "The year 9999 is none of ours"),
    ("0001-01-01T00:00:00+14:00", "The year 1 is none of ours"),
]


@pytest.mark.parametrize(("text", "problem"), INSTANTS_THAT_ARE_NONE)
@pytest.mark.parametrize("read", [read_instant, read_instant_or_now])
def test_what_is_no_instant_of_ours_is_refused_with_an_example(
    text: str, problem: str, read: Callable[[str], datetime]
) -> None:
    with pytest.raises(typer.BadParameter, match="Write for example 2026-11-24T10:00:00-05:00") as caught:
        read(text)
    assert caught.value.message.startswith(problem)


def test_now_is_the_clocks_and_is_offered() -> None:
    assert read_instant_or_now("now") is None
    with pytest.raises(typer.BadParameter, match="or now for the clock"):
        read_instant_or_now("tomorrow")
