"""The tasks of the DAG ``process_feedback``. Counts travel between them, no people."""

from collections.abc import Mapping
from typing import Any

from enrollment_crm.bootstrap import (
    bounce_limit_of,
    bounce_mailbox_of,
    clock_of,
    engine_of,
    feedback_policy_of,
    outbox_of,
)
from enrollment_crm.orchestration.alerts import tell_operations, tell_operations_of_stop
from enrollment_crm.orchestration.run_parameters import read_parameters
from enrollment_crm.settings import Settings
from enrollment_crm.workflows import bounce_mailbox, campaigns, complaints, delivery, provider_events

Counts = dict[str, int]


def read_mailbox(params: Mapping[str, Any]) -> Counts:
    """Empty the bounce mailbox, where there is one."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    mailbox = bounce_mailbox_of(settings)
    if mailbox is None:
        return {}
    try:
        return bounce_mailbox.empty_mailbox(
            engine_of(settings),
            mailbox,
            secret=settings.secret_key.get_secret_value().encode(),
            letters_a_run=feedback_policy_of(settings).letters_a_run,
            now=run.now,
            dry_run=run.dry_run,
        )
    finally:
        mailbox.close()


def take_events(params: Mapping[str, Any]) -> Counts:
    """Take in the events of the mail provider that wait in the inbox."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    return provider_events.take_provider_events(
        engine_of(settings), mail_domain=settings.mail_domain, now=run.now, dry_run=run.dry_run
    )


def reconcile(params: Mapping[str, Any]) -> Counts:
    """Find out what became of messages whose workers vanished; a dry run asks nobody."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    if run.dry_run:
        return {}
    outbox = outbox_of(settings, engine_of(settings))
    try:
        return dict(delivery.reconcile(outbox, now=run.now).counts)
    finally:
        outbox.transport.close()


def watch_complaints(params: Mapping[str, Any]) -> Counts:
    """Stop kinds of messages that are complained about or come back too often, and tell of receivers that refuse us."""
    settings = Settings()
    run = read_parameters(params, clock=clock_of(settings))
    engine, limit = engine_of(settings), feedback_policy_of(settings).complaints
    over = complaints.stop_over_limit(engine, limit, now=run.now, dry_run=run.dry_run)
    storms = complaints.stop_storms(engine, bounce_limit_of(settings), now=run.now, dry_run=run.dry_run)
    if not run.dry_run:
        campaigns.tell_of_stops(engine, tell_operations_of_stop, now=run.now)
    told = complaints.tell_of_refusals(engine, tell=tell_operations, now=run.now, dry_run=run.dry_run)
    return over | storms | told
