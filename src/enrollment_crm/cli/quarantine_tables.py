"""What ``enrollment-crm quarantine`` prints: ranked rows and groups without values, and one row whole."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.quarantine import MissedReminder
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.workflows.quarantine import AcceptedRow, QuarantinedPerson, ShownRow, TrailStep
from enrollment_crm.workflows.value_overrides import DecidedOverride


class Grouping(StrEnum):
    """How the quarantine is listed."""

    #: A line a row.
    ROW = "row"
    #: A line a reason, with the number of rows.
    REASON = "reason"


def print_list(found: Sequence[QuarantinedPerson], *, grouping: Grouping, limit: int, as_json: bool) -> None:
    """Rows in the order in which they are given, or their reasons, the one with the first row first."""
    lines = [_said(one) for one in found] if grouping is Grouping.ROW else _groups(found)
    if as_json:
        typer.echo(json.dumps(lines[:limit], default=str, indent=2))
        return
    if grouping is Grouping.ROW:
        columns = ("Row", "Would miss", "Source", "Field", "Value", "Reason")
        print_rows("Quarantine", columns, [_row(one) for one in found[:limit]])
    else:
        columns = ("Rows", "First to miss something", "Source", "Rule", "Field", "Reason")
        print_rows("Quarantine by reason", columns, [tuple(map(str, one.values())) for one in lines[:limit]])
    if len(lines) > limit:
        REMARKS.print(f"{len(lines) - limit} more: raise --limit, or filter by --source, --rule or --since.")


def _said(one: QuarantinedPerson) -> dict[str, Any]:
    """A row for programs, without a value."""
    missed = {"at": one.missed.at, "about": one.missed.words} if one.missed else None
    return {**asdict(one), "missed": missed}


def _row(one: QuarantinedPerson) -> tuple[str, ...]:
    corrected = f"\n(corrected: {', '.join(one.corrected)}; replay it)" if one.corrected else ""
    return (
        str(one.inbox_id),
        _missed(one.missed),
        one.source,
        one.column or "the whole row",
        one.value_class,
        f"{one.reason}{corrected}",
    )


def _missed(missed: MissedReminder | None) -> str:
    return f"{_when(missed.at)}: {missed.words}" if missed else "nothing: no date is ahead"


def _when(at: datetime) -> str:
    return at.astimezone(ZoneInfo(HOME_ZONE)).strftime("%a %Y-%m-%d %H:%M Boston")


def _groups(found: Sequence[QuarantinedPerson]) -> list[dict[str, Any]]:
    """Counts by reason; the rows come most urgent first, so the first of a group is its most urgent."""
    groups = defaultdict[tuple[str, ...], list[QuarantinedPerson]](list)
    for one in found:
        groups[one.source, one.rule, one.column, one.reason].append(one)
    return [
        {
            "rows": len(rows),
            "first_missed": _missed(rows[0].missed),
            "source": source,
            "rule": rule,
            "field": column or "the whole row",
            "reason": reason,
        }
        for (source, rule, column, reason), rows in groups.items()
    ]


def print_row(shown: ShownRow, *, as_json: bool) -> None:
    """One row whole, for staff at a terminal: it holds what a person wrote."""
    entry, person = shown.entry, shown.person
    if as_json:
        trail = [asdict(one) for one in shown.trail]
        said = {**_said(person), "raw": entry.row.raw, "canonical": shown.canonical, "trail": trail}
        typer.echo(json.dumps({**said, "corrections": entry.corrections}, default=str, indent=2))
        return
    console = Console(soft_wrap=True)
    console.print(
        f"Row {person.inbox_id} of {person.source}, received {_when(person.received_at)}, "
        f"rejected {_when(person.rejected_at)} by {person.rule}.\n{person.reason}\n"
        f"Would miss: {_missed(person.missed)}",
        markup=False,
        highlight=False,
    )
    print_rows(
        "As it came", ("Column", "Value"), [(_text(name), _text(value)) for name, value in entry.row.raw.items()]
    )
    meant = [
        (name, value or "", "corrected" if name in entry.corrections else "")
        for name, value in shown.canonical.items()
        if value is not None or name in entry.corrections
    ]
    print_rows("What it means", ("Field", "Value", ""), meant)
    _print_trail(shown.trail)


def print_accepted(row: AcceptedRow, *, as_json: bool) -> None:
    """What was done about a row until it was accepted."""
    if as_json:
        said = {"inbox_id": row.inbox_id, "outcome": "accepted", "trail": [asdict(one) for one in row.trail]}
        typer.echo(json.dumps(said, default=str, indent=2))
        return
    Console(soft_wrap=True).print(f"Row {row.inbox_id} has been accepted, and is in somebody's records.")
    _print_trail(row.trail)


def _print_trail(trail: Sequence[TrailStep]) -> None:
    done = [(_when(one.at), one.by, one.step.value.replace("_", " "), one.field, one.why) for one in trail]
    print_rows("What was done", ("When", "Who", "Step", "Field", "Why"), done)


def _text(value: object) -> str:
    """A raw value as it stands, with what a terminal must not act on spelled out."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def print_meanings(decided: Sequence[DecidedOverride], *, as_json: bool) -> None:
    """The meanings that staff gave values."""
    if as_json:
        said = [{**vars(one.override), "at": one.at, "by": one.by, "why": one.why} for one in decided]
        typer.echo(json.dumps(said, default=str, indent=2))
        return
    rows = [(*_meaning(one), one.by, one.why) for one in decided]
    print_rows("Meanings of values", ("Source", "Field", "Value", "Means", "Who", "Why"), rows)


def _meaning(one: DecidedOverride) -> tuple[str, str, str, str]:
    override = one.override
    return override.source, override.field, override.given, override.meaning or "nothing"
