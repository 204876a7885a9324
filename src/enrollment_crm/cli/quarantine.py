"""``enrollment-crm quarantine``: rejected rows, by what their people would miss; corrected, replayed, discarded."""

from datetime import datetime
from typing import Annotated

import typer

from enrollment_crm.bootstrap import (
    clock_of,
    country_zones_of,
    field_maps_of,
    loaders_of,
    programs_of,
    secret_of,
    validator_of,
)
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.deciding import By, Why, decision_of
from enrollment_crm.cli.options import AsJson, DryRun, check_rule, check_source, read_instant
from enrollment_crm.cli.output import REMARKS, print_counts, steps
from enrollment_crm.cli.quarantine_tables import Grouping, print_accepted, print_list, print_meanings, print_row
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.value_overrides import ValueOverride
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.quarantine import (
    AcceptedRow,
    Configuration,
    Selection,
    check_quarantined,
    fix_fields,
    list_quarantine,
    show_row,
)
from enrollment_crm.workflows.quarantine import (
    discard as discard_row,
)
from enrollment_crm.workflows.quarantine import (
    restore as restore_row,
)
from enrollment_crm.workflows.replays import Replayed
from enrollment_crm.workflows.replays import replay as replay_rows
from enrollment_crm.workflows.value_overrides import fix_values, list_overrides, take_back_override

app = typer.Typer(
    no_args_is_help=True,
    help="Rejected rows: what is wrong, what their people would miss and when; correct them and judge them again.",
)
Row = Annotated[int, typer.Argument(metavar="ROW", help="The row, as `quarantine list` numbers it.")]
MaybeRow = Annotated[int | None, typer.Argument(metavar="ROW", help="The row, as `quarantine list` numbers it.")]
Source = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]
Rule = Annotated[str | None, typer.Option("--rule", help="Only rows that failed this rule.")]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=read_instant, metavar="INSTANT", help="Only rows rejected since (RFC 3339)."),
]


def _configuration(settings: Settings) -> Configuration:
    cadences = Cadences(programs_of(settings), settings.default_program)
    return Configuration(field_maps_of(settings), cadences, country_zones_of(settings))


@app.command("list")
def list_(
    *,
    source: Source = None,
    rule: Rule = None,
    since: Since = None,
    by: Annotated[Grouping, typer.Option("--by", help="Each row, or counts of rows with the same reason.")] = (
        Grouping.ROW
    ),
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many of the most urgent.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List rejected rows, first those whose people would miss a reminder first. No value of a row is shown.

    The reminder is worked out from the row's own term, residency and zone where they can be read; a row that names no
    term counts by the earliest of all dates.
    """
    settings = Settings()
    with crm_database(settings) as engine:
        selection = Selection(source=source, rule=rule, since=since)
        found = list_quarantine(engine, _configuration(settings), selection, now=clock_of(settings)())
    check_source(source, settings, found=len(found))
    check_rule(rule, settings, found=len(found))
    print_list(found, grouping=by, limit=limit, as_json=as_json)


@app.command()
def show(row: Row, *, as_json: AsJson = False) -> None:
    """Show one row whole, with what it means and what was done about it. **Shows personal data.**

    Of a row that has been accepted since: what was done about it.
    """
    settings = Settings()
    with crm_database(settings) as engine:
        shown = show_row(engine, _configuration(settings), row, now=clock_of(settings)())
    if isinstance(shown, AcceptedRow):
        print_accepted(shown, as_json=as_json)
    else:
        print_row(shown, as_json=as_json)


@app.command()
def fix(
    row: MaybeRow = None,
    *,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="What a field of the row shall say; empty: nothing."),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="With --value: the source that writes it.")] = None,
    value: Annotated[
        tuple[str, str] | None,
        typer.Option("--value", metavar="FIELD GIVEN=MEANING", help="What a value of the source means, in every row."),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="With --value FIELD GIVEN: take the meaning back.")] = False,
    by: By = "",
    why: Why = "",
) -> None:
    """Correct one row, or give a value of a source a meaning for all its rows. Then replay.

    `fix 12 --set entry_term="fall 2027"` keeps the correction beside the row, which stays as it came.
    `fix --source signups_csv --value entry_term "Herbst 27=fall 2027"` holds for rejected rows and for those to come.
    """
    settings = Settings()
    decision = decision_of(settings, by=by, why=why)
    configuration = _configuration(settings)
    if (row is None) == (value is None) or (row is None) != (not set_) or (value is None) != (source is None):
        raise typer.BadParameter("write either ROW with --set FIELD=VALUE, or --source SOURCE with --value.")
    with crm_database(settings) as engine:
        if row is not None:
            fix_fields(engine, row, dict(_pair(one, "--set") for one in set_ or []), decision)
            REMARKS.print(f"Kept. Judge the row again: `enrollment-crm quarantine replay {row} --by NAME`.")
        elif value is not None and forget:
            take_back_override(engine, ValueOverride(source or "", value[0], value[1], ""), decision)
            REMARKS.print("Taken back: the value means again what the source's file says.")
        elif value is not None:
            given, meaning = _pair(value[1], "--value", last=True)
            fix_values(engine, configuration, ValueOverride(source or "", value[0], given, meaning), decision)
            REMARKS.print("Kept. Judge the rows again: `enrollment-crm quarantine replay --all --by NAME`.")


def _pair(text: str, option: str, *, last: bool = False) -> tuple[str, str]:
    before, sign, after = text.rpartition("=") if last else text.partition("=")
    if not sign or not before.strip():
        raise typer.BadParameter("write it with an equals sign, such as entry_term='fall 2027'.", param_hint=option)
    return before.strip(), after


@app.command()
def meanings(*, as_json: AsJson = False) -> None:
    """List the meanings that staff gave values of sources, beside the value maps in `config/sources/`."""
    with crm_database(Settings()) as engine:
        print_meanings(list_overrides(engine), as_json=as_json)


@app.command()
def replay(
    row: MaybeRow = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Every row of the quarantine.")] = False,
    source: Source = None,
    rule: Rule = None,
    since: Since = None,
    by: By = "",
    why: Why = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Judge rows again, with their corrections and what is configured by now, and load what passes.

    A row counts as there since it came; what it has missed since is caught up once, with the next sweep. What still
    fails stays, with its new reason.
    """
    settings = Settings()
    decision = decision_of(settings, by=by, why=why, needs_why=False)
    chosen = [row is not None, all_, any((source, rule, since))]
    if sum(chosen) != 1:
        raise typer.BadParameter("say which rows: ROW, or --all, or some of --source, --rule and --since.")
    selection = Selection(ids=None if row is None else (row,), source=source, rule=rule, since=since)
    with crm_database(settings) as engine, steps(quiet=as_json) as run:
        if row is not None:
            check_quarantined(engine, row)
        validator, field_maps = run("Preparing the rules", lambda: validator_of(settings)), field_maps_of(settings)
        secret = secret_of(settings)
        done = replay_rows(engine, validator, field_maps, selection, decision, secret=secret, dry_run=dry_run)
        check_source(source, settings, found=done.rows)
        check_rule(rule, settings, found=done.rows)
        loaded = {} if dry_run else {kind: loaders_of(settings)[kind] for kind in done.kinds}
        counts = {
            f"load {kind.value}s": vars(load(engine, field_maps, now=decision.at)) for kind, load in loaded.items()
        }
    print_counts("Replay", {**_counts(done), **counts}, as_json=as_json)


def _counts(done: Replayed) -> dict[str, dict[str, int]]:
    judged = {"rows": done.rows, "accepted": done.accepted, "quarantined": done.quarantined}
    judged |= {"erased": done.erased} if done.erased else {}
    return {"judge again": judged, "still failing": dict(done.still_failing)}


@app.command()
def discard(row: Row, *, by: By = "", why: Why = "") -> None:
    """Decide that a row is not to be taken in. It is kept and counted; `restore` puts it back."""
    settings = Settings()
    decision = decision_of(settings, by=by, why=why)
    with crm_database(settings) as engine:
        discard_row(engine, row, decision)
    REMARKS.print(f"Row {row} is discarded; `enrollment-crm quarantine restore {row}` puts it back.")


@app.command()
def restore(row: Row, *, by: By = "", why: Why = "") -> None:
    """Put a discarded row back into the quarantine."""
    settings = Settings()
    decision = decision_of(settings, by=by, why=why)
    with crm_database(settings) as engine:
        restore_row(engine, row, decision)
    REMARKS.print(f"Row {row} is in the quarantine again.")
