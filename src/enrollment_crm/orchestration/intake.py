"""The tasks of the intake DAGs: each drains what waits for it, and returns counts for the grid. No people in XCom."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from enrollment_crm.bootstrap import (
    clock_of,
    engine_of,
    feeds_of,
    field_maps_of,
    identity_rules_of,
    loaders_of,
    outbox_of,
    programs_of,
    secret_of,
    validator_of,
)
from enrollment_crm.domain.campaigns import CampaignStoppedError
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.orchestration.alerts import tell_operations_batch_stopped, tell_operations_of_stop
from enrollment_crm.orchestration.connections import airflow_connection
from enrollment_crm.orchestration.run_parameters import RunParameters, read_parameters
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.batch_decisions import tell_of_stopped_batches
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.campaigns import tell_of_stops
from enrollment_crm.workflows.inbox import collect as collect_rows
from enrollment_crm.workflows.loading import Loaded
from enrollment_crm.workflows.routing import route_people

Counts = dict[str, int]

#: What each intake DAG takes in, in this order: items of checklists are about applications.
_TAKEN_IN = {
    RecordKind.SIGNUP: (RecordKind.SIGNUP,),
    RecordKind.APPLICATION: (RecordKind.APPLICATION, RecordKind.CHECKLIST),
}


def _start(params: Mapping[str, Any]) -> tuple[Settings, RunParameters]:
    settings = Settings()
    return settings, read_parameters(params, clock=clock_of(settings))


def collect(kind: str, params: Mapping[str, Any]) -> Counts:
    """Ask every source of this DAG for its rows and keep them in the inbox."""
    settings, run = _start(params)
    kinds = _TAKEN_IN[RecordKind(kind)]
    feeds = [feed for one in kinds for feed in feeds_of(settings, one, connections=airflow_connection)]
    return dataclasses.asdict(collect_rows(engine_of(settings), feeds, now=run.now, dry_run=run.dry_run))


def validate(kind: str, params: Mapping[str, Any]) -> Counts:
    """Judge every pending row: accepted, or quarantined with a reason in words. Operations hear of stopped batches."""
    settings, run = _start(params)
    engine = engine_of(settings)
    validate_kind = partial(
        validate_pending,
        engine,
        validator_of(settings),
        field_maps_of(settings),
        secret=secret_of(settings),
        dry_run=run.dry_run,
    )
    counts = _sum(validate_kind(kind=one, now=run.now) for one in _TAKEN_IN[RecordKind(kind)])
    if not run.dry_run:
        tell_of_stopped_batches(engine, tell_operations_batch_stopped, now=run.now)
    return counts


def load(kind: str, params: Mapping[str, Any]) -> Counts:
    """Take what accepted rows say into the people's records."""
    settings, run = _start(params)
    loaders = loaders_of(settings)
    engine, field_maps = engine_of(settings), field_maps_of(settings)
    return _sum(
        loaders[one](engine, field_maps, now=run.now, dry_run=run.dry_run) for one in _TAKEN_IN[RecordKind(kind)]
    )


def _sum(parts: Iterable[Validated | Loaded]) -> Counts:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(dataclasses.asdict(part))
    return dict(total)


def route(params: Mapping[str, Any]) -> Counts:
    """Decide the route of everybody whose evidence has changed."""
    settings, run = _start(params)
    routed = route_people(
        engine_of(settings),
        programs_of(settings),
        default_program=settings.default_program,
        rules=identity_rules_of(settings),
        now=run.now,
        dry_run=run.dry_run,
    )
    return dataclasses.asdict(routed)


def answer(kind: str, params: Mapping[str, Any]) -> Counts:
    """Send the welcomes, or the receipts of applications, that are owed."""
    settings, run = _start(params)
    outbox = outbox_of(settings, engine_of(settings))
    try:
        return dict(send_answers(outbox, MessageKind(kind), now=run.now, dry_run=run.dry_run).counts)
    except CampaignStoppedError:
        tell_of_stops(outbox.engine, tell_operations_of_stop, now=run.now)
        raise
    finally:
        outbox.transport.close()
