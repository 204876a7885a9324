"""``enrollment-crm batches``: what came in by count, and what to do with a batch that was stopped."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.deciding import By, Why, decision_of
from enrollment_crm.cli.options import AsJson, check_source
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.batches import BatchStep
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.batch_decisions import BatchFacts, list_batches, reject_batch, release_batch

app = typer.Typer(
    no_args_is_help=True,
    help="What came in, batch by batch and by count, and the batches that a rule has stopped.",
)
BatchId = Annotated[int, typer.Argument(metavar="ID", help="The batch, as `batches list` numbers it.")]


@app.command("list")
def list_(
    *,
    source: Annotated[str | None, typer.Option("--source", help="Only batches of this source.")] = None,
    step: Annotated[BatchStep | None, typer.Option("--step", help="Only batches at this step.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many of the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest batches: delivered = accepted + quarantined + duplicates + erased.

    Duplicates are rows that the source delivered again since the batch before; erased ones are of people who
    had been erased or have been since. Remarks say why a batch is stopped, or what was noticed. A batch of replayed
    rows holds rows that an earlier one has put into the quarantine.
    """
    settings = Settings()
    with crm_database(settings) as engine:
        found = list_batches(engine, source=source, step=step, limit=limit)
    check_source(source, settings, found=len(found))
    if as_json:
        typer.echo(json.dumps([{**asdict(one), "delivered": one.delivered} for one in found], default=str, indent=2))
        return
    columns = (
        "Id",
        "Source",
        "When",
        "Step",
        "Delivered",
        "Accepted",
        "Quarantined",
        "Duplicates",
        "Erased",
        "Remarks",
    )
    print_rows("Batches", columns, [_row(one) for one in found])


def _row(one: BatchFacts) -> tuple[str, ...]:
    numbers = (one.delivered, one.accepted, one.quarantined, one.duplicates, one.erased)
    when = one.validated_at.strftime("%Y-%m-%d %H:%MZ")
    decided = f"{one.decided_by}: {one.decided_why}" if one.decided_by else ""
    remarks = "\n".join(filter(None, ["Replayed rows." if one.is_replay else "", one.remarks, decided]))
    return (str(one.id), one.source or one.kind, when, one.step.value, *map(str, numbers), remarks)


@app.command()
def release(batch_id: BatchId, *, by: By = "", why: Why = "") -> None:
    """Let a stopped batch go on: its accepted rows are loaded by the next run."""
    settings = Settings()
    decision = decision_of(settings, by=by, why=why)
    with crm_database(settings) as engine:
        batch = release_batch(engine, batch_id, decision)
    REMARKS.print(f"Batch {batch_id} is released: its {batch.accepted} accepted rows are loaded by the next run.")


@app.command()
def reject(batch_id: BatchId, *, by: By = "", why: Why = "") -> None:
    """Decide against a stopped batch: all its rows go to the quarantine, and nothing of them is lost."""
    settings = Settings()
    decision = decision_of(settings, by=by, why=why)
    with crm_database(settings) as engine:
        batch = reject_batch(engine, batch_id, decision)
    REMARKS.print(f"Batch {batch_id} is rejected: its {batch.rows_in - batch.erased} rows are in the quarantine.")
