"""Options that several commands share."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from enrollment_crm.bootstrap import clock_of, field_maps_of, row_rules_of
from enrollment_crm.domain.staff_actions import StaffAction
from enrollment_crm.settings import Settings

#: Before and after them, weeks that are counted back or ahead could leave the calendar of the machine.
_YEARS = range(1900, 2200)
#: What is written instead of an instant where the clock is wanted.
NOW = "now"


_EXAMPLE = "Write for example 2026-11-24T10:00:00-05:00"


def read_instant(text: str) -> datetime:
    """The instant that an option names, in UTC. Raises ``typer.BadParameter`` with an example."""
    problem = _problem_of_instant(text)
    if problem:
        raise typer.BadParameter(f"{problem} {_EXAMPLE}.")
    return datetime.fromisoformat(text).astimezone(UTC)


def read_instant_or_now(text: str) -> datetime | None:
    """The instant that an option names, in UTC; None: the clock's. Raises ``typer.BadParameter`` with an example."""
    if text == NOW:
        return None
    problem = _problem_of_instant(text)
    if problem:
        raise typer.BadParameter(f"{problem} {_EXAMPLE}, or {NOW} for the clock.", param_hint="--as-of")
    return read_instant(text)


def _problem_of_instant(text: str) -> str:
    """Why it names no instant of ours, in words; empty: it does."""
    with suppress(ValueError):
        day = date.fromisoformat(text)
        return f"{day} is a whole day: an instant has an hour and a zone too."
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        return f"'{text}' is no instant: it has a day, an hour and a zone."
    if stated.utcoffset() is None:
        return f"{text} has no zone: add the offset from UTC, or Z for UTC."
    return "" if stated.year in _YEARS else f"The year {stated.year} is none of ours."


By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it; kept in the audit trail.")]
Why = Annotated[str, typer.Option("--why", metavar="WORDS", help="Why; kept in the audit trail. Name nobody in it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Do everything and keep nothing; count what would be sent, send nothing.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        parser=read_instant,
        metavar="INSTANT",
        help="Take this instant for now (RFC 3339, with a zone). An instant still to come is for dry runs only.",
    ),
]


def staff_action(settings: Settings, *, by: str, why: str) -> StaffAction:
    """Who does it now, and why. Raises ``typer.BadParameter`` where nobody says."""
    if not (by.strip() and why.strip()):
        raise typer.BadParameter("--by and --why are kept in the audit trail: give both.")
    return StaffAction(by.strip(), why.strip(), clock_of(settings)())


def instant_of_command(as_of: datetime | None, settings: Settings, *, dry_run: bool) -> datetime:
    """The instant that a command takes for now: the option, else the clock."""
    now = clock_of(settings)()
    if as_of is None:
        return now
    if as_of > now and not dry_run:
        raise typer.BadParameter("--as-of lies ahead: a real run would send messages too early. Add --dry-run.")
    return as_of


def check_source(source: str | None, settings: Settings, *, found: int) -> None:
    """A source from which nothing came and that nobody has set up is misspelt: an empty list would look like good news.

    Raises ``typer.BadParameter`` with the names that there are.
    """
    if source is None or found:
        return
    known = field_maps_of(settings)
    if source not in known:
        raise typer.BadParameter(f"there is no such source: write one of {', '.join(known)}.", param_hint="--source")


def check_rule(rule: str | None, settings: Settings, *, found: int) -> None:
    """A rule that nothing failed and that there is none of is misspelt, as for ``check_source``."""
    if rule is None or found:
        return
    known = sorted(row_rules_of(settings))
    if rule not in known:
        raise typer.BadParameter(f"there is no such rule: known are {', '.join(known)}.", param_hint="--rule")
