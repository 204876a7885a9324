"""``enrollment-crm rules``: what each rule of validation looked at and rejected, over time."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from enrollment_crm.bootstrap import clock_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, check_source
from enrollment_crm.cli.output import print_rows
from enrollment_crm.domain.rule_counts import RuleHistory
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.rule_counts import count_rules


def rules(
    *,
    source: Annotated[str | None, typer.Option("--source", help="Only rules that looked at this source.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="How far back.")] = 14,
    every: Annotated[bool, typer.Option("--every", help="Also rules that nothing has failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show each rule over time: how much it looked at, how much failed, and the trend. Counts only, no values.

    The trend compares the newer half of the days with the older half; the curve has a character for each day on which
    the rule was asked. A rule about whole batches counts batches, any other rows.
    """
    settings = Settings()
    with crm_database(settings) as engine:
        found = count_rules(engine, source=source, days=days, now=clock_of(settings)())
    check_source(source, settings, found=len(found))
    if as_json:
        typer.echo(json.dumps([_said(one) for one in found], default=str, indent=2))
        return
    shown = [one for one in found if every or one.failed]
    columns = ("Source", "Rule", "Looks at", "Severity", "Asked", "Failed", "By day", "Trend")
    print_rows(f"Rules, {days} days", columns, [_row(one) for one in sorted(shown, key=lambda one: -one.failed)])


def _said(one: RuleHistory) -> dict[str, object]:
    return {**asdict(one), "evaluated": one.evaluated, "failed": one.failed, "trend": one.trend.value}


def _row(one: RuleHistory) -> tuple[str, ...]:
    counts = (str(one.evaluated), str(one.failed))
    looks_at = one.column or "the whole row"
    return (one.source or one.kind, one.rule, looks_at, one.severity, *counts, one.sparkline, one.trend.value)
