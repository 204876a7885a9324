"""``enrollment-crm send``: everything that is due, as the DAGs send it."""

from functools import partial

from enrollment_crm.bootstrap import outbox_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, AsOf, DryRun, instant_of_command
from enrollment_crm.cli.output import REMARKS, print_counts, steps
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.freshness import gate_at
from enrollment_crm.workflows.reminders import find_due, finish_sweep, send_due

_ANSWERS = {MessageKind.WELCOME: "welcomes", MessageKind.APPLICATION_RECEIVED: "receipts of applications"}


def send(*, dry_run: DryRun = False, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Send the welcomes and receipts that are owed and the reminders that are due, each once.

    Every message has a row in the ledger, also the withheld ones. `--dry-run` counts what would go out; with
    `--as-of` it answers what would go out at another instant. While the applications feed is older than its budget,
    reminders and invitations are held, and counted as `held` with the reason.
    """
    settings = Settings()
    now = instant_of_command(as_of, settings, dry_run=dry_run)
    counts: dict[str, dict[str, int]] = {}
    with crm_database(settings) as engine, steps(quiet=as_json) as run:
        outbox = outbox_of(settings, engine)
        try:
            for kind, name in _ANSWERS.items():
                tally = run(f"Sending {name}", partial(send_answers, outbox, kind, now=now, dry_run=dry_run))
                counts[name] = dict(tally.counts)
            for due in run("Finding what is due", partial(find_due, outbox, now=now)):
                tally = run(due.name, partial(send_due, outbox, due, now=now, dry_run=dry_run))
                counts[due.name] = dict(tally.counts)
            if not dry_run:
                finish_sweep(outbox, now=now)
            gate = gate_at(outbox, now=now)
        finally:
            outbox.transport.close()
    REMARKS.print(f"Freshness gate: {gate.in_words()}.", highlight=False, soft_wrap=True)
    print_counts("Would send" if dry_run else "Sent", counts, as_json=as_json)
