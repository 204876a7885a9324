"""The tasks of the DAG ``send_reminders``. Dates and counts travel between them, no people."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from enrollment_crm.bootstrap import clock_of, engine_of, outbox_of
from enrollment_crm.domain.campaigns import CampaignStoppedError
from enrollment_crm.orchestration.alerts import tell_operations_of_gate, tell_operations_of_stop
from enrollment_crm.orchestration.run_parameters import read_parameters
from enrollment_crm.settings import Settings
from enrollment_crm.workflows import freshness, reminders
from enrollment_crm.workflows.campaigns import tell_of_stops

Counts = dict[str, int]
#: Counts, and the freshness gate in words.
Summary = dict[str, int | str]


def find_due(params: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The instant of this sweep, and its units of work, each with the name that the grid shows."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    outbox = outbox_of(settings, engine_of(settings))
    return run.now.isoformat(), [due.to_wire() for due in reminders.find_due(outbox, now=run.now)]


def send(due: Mapping[str, Any], params: Mapping[str, Any]) -> Counts:
    """Send one unit of work to its end."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    outbox = outbox_of(settings, engine_of(settings))
    try:
        tally = reminders.send_due(outbox, reminders.Due.from_wire(due), now=run.now, dry_run=run.dry_run)
    except CampaignStoppedError:
        tell_of_stops(outbox.engine, tell_operations_of_stop, now=run.now)
        raise
    finally:
        outbox.transport.close()
    return dict(tally.counts)


def summarise(now: str, sent: Iterable[Counts], params: Mapping[str, Any]) -> Summary:
    """Add up what the units sent, and remember how far has been swept: up to the instant at which they were found.

    Operations are told where the freshness gate has closed or opened since, and of campaigns that have stopped.
    """
    settings, instant = Settings(), datetime.fromisoformat(now)
    outbox = outbox_of(settings, engine_of(settings))
    total: Counter[str] = Counter()
    for counts in sent:
        total.update(counts)
    if params["dry_run"]:
        gate = freshness.gate_at(outbox, now=instant)
    else:
        reminders.finish_sweep(outbox, now=instant)
        tell_of_stops(outbox.engine, tell_operations_of_stop, now=instant)
        gate = freshness.tell_of_gate(outbox, tell_operations_of_gate, people_held=total["held"], now=instant)
    return dict(total) | {"freshness_gate": gate.in_words()}
