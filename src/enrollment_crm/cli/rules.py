"""``enrollment-crm rules``: what each rule of validation looked at and rejected over time, and a trial of them."""

import json
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from enrollment_crm.bootstrap import clock_of, field_maps_of, validator_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, check_source
from enrollment_crm.cli.output import REMARKS, print_rows, steps
from enrollment_crm.domain.rule_counts import RuleHistory
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.rule_counts import count_rules
from enrollment_crm.workflows.rule_trials import RuleTrial, try_rules

app = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)


@app.callback()
def rules(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option("--source", help="Only rules that looked at this source.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="How far back.")] = 14,
    every: Annotated[bool, typer.Option("--every", help="Also rules that nothing has failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show each rule over time: how much it looked at, how much failed, and the trend. Counts only, no values.

    The trend compares the newer half of the days with the older half; the curve has a character for each day on which
    the rule was asked. A rule about whole batches counts batches, any other rows.

    `check` tries the rules after somebody has edited them.
    """
    if context.invoked_subcommand:
        return
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


@app.command()
def check(
    *,
    rows: Annotated[int, typer.Option("--rows", min=1, max=20_000, help="So many of each kind.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Try the rules of `expectations/`, before the next batch is judged by them. Nothing is kept.

    First each rule is evaluated on a made-up row: a mistake is told with file, rule and reason. Then all of them look
    at the newest rows that were accepted: what the table shows would go to the quarantine from now on.

    Exit code 1 where a rule cannot be used.
    """
    settings = Settings()
    field_maps = field_maps_of(settings)
    with crm_database(settings) as engine, steps(quiet=as_json) as run:
        validator = run("Reading the rules", partial(validator_of, settings))
        found = run("Trying them", partial(try_rules, engine, validator, field_maps, rows=rows))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    _print_trials(found)


def _print_trials(found: list[RuleTrial]) -> None:
    failing = sorted((one for one in found if one.failed), key=lambda one: -one.failed)
    if failing:
        columns = ("Rows", "Rule", "Looks at", "Severity", "Asked", "Would fail")
        print_rows("Of the newest rows that were accepted", columns, [_trial_row(one) for one in failing])
    looked_at = ", ".join(f"{rows} {kind.value}s" for kind, rows in {one.kind: one.rows for one in found}.items())
    REMARKS.print(
        f"{len(found)} rules about rows can be used. {'Others pass' if failing else 'All pass'} the newest accepted "
        f"rows: {looked_at}.",
        highlight=False,
        soft_wrap=True,
    )


def _trial_row(one: RuleTrial) -> tuple[str, ...]:
    return (f"{one.rows} {one.kind.value}s", one.rule, one.column, one.severity, str(one.evaluated), str(one.failed))


def _said(one: RuleHistory) -> dict[str, object]:
    return {**asdict(one), "evaluated": one.evaluated, "failed": one.failed, "trend": one.trend.value}


def _row(one: RuleHistory) -> tuple[str, ...]:
    counts = (str(one.evaluated), str(one.failed))
    looks_at = one.column or "the whole row"
    return (one.source or one.kind, one.rule, looks_at, one.severity, *counts, one.sparkline, one.trend.value)
