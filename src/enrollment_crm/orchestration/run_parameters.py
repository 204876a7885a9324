"""What a person may set when they trigger a run, and the instant that the run takes for now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.sdk import Param

from enrollment_crm.domain.instants import check_aware

#: The form of every DAG of ours.
PARAMETERS = {
    "dry_run": Param(
        False,
        type="boolean",
        title="Dry run",
        description="Do everything and keep nothing; count what would be sent and send nothing.",
    ),
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="As of",
        description="Take this instant for now. An instant still to come is for dry runs only. Empty: the clock.",
    ),
}


class AsOfInTheFutureError(ValueError):
    """`as_of` lies ahead of the clock: a real run would send messages too early. Tick the dry run, or clear it."""


@dataclass(frozen=True)
class RunParameters:
    """The instant of a run, and whether it keeps what it does."""

    now: datetime
    dry_run: bool


def read_parameters(params: Mapping[str, Any], *, clock: Callable[[], datetime]) -> RunParameters:
    """The parameters of a run.

    Raises:
        AsOfInTheFutureError: a run that keeps what it does cannot be ahead of the clock.
        NaiveDatetimeError: ``as_of`` names no zone.
    """
    now, dry_run = clock(), bool(params["dry_run"])
    if not params["as_of"]:
        return RunParameters(now, dry_run)
    as_of = check_aware(datetime.fromisoformat(params["as_of"]))
    if as_of > now and not dry_run:
        raise AsOfInTheFutureError(AsOfInTheFutureError.__doc__)
    return RunParameters(as_of, dry_run)
