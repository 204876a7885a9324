"""The clock of the edges: real, or stopped at one instant."""

from collections.abc import Callable
from datetime import UTC, datetime

from enrollment_crm.settings import Settings


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """What tells the instant: the clock, or the one instant that the settings stop it at."""
    stopped = settings.as_of
    if stopped is not None:
        return lambda: stopped.astimezone(UTC)
    return lambda: datetime.now(UTC)  # noqa: TID251 - the edges read the clock through this one function
