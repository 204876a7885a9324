"""``enrollment-crm feedback``: the tasks of the DAG ``process_feedback``, one after the other."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypedDict, Unpack

from sqlalchemy import Engine

from enrollment_crm.bootstrap import bounce_limit_of, bounce_mailbox_of, feedback_policy_of, outbox_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, AsOf, DryRun, instant_of_command
from enrollment_crm.cli.output import REMARKS, print_counts, steps
from enrollment_crm.settings import Settings
from enrollment_crm.sources.bounce_mailbox import MailboxError
from enrollment_crm.workflows.bounce_mailbox import empty_mailbox
from enrollment_crm.workflows.campaigns import tell_of_stops
from enrollment_crm.workflows.complaints import stop_over_limit, stop_storms, tell_of_refusals
from enrollment_crm.workflows.delivery import reconcile
from enrollment_crm.workflows.provider_events import take_provider_events


class _Keep(TypedDict):
    """What every step takes."""

    now: datetime
    dry_run: bool


def feedback(*, dry_run: DryRun = False, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Take in what comes back: bounces, complaints, events of the mail provider; find out about unknown outcomes.

    Letters of the bounce mailbox are filed after what they say is committed: `done`, `forged`, `replies` (of people:
    read them) and `unreadable`. Nothing is ever answered. `--dry-run` reads and counts, and leaves all as it is.

    A mailbox or a letter that cannot be read keeps nothing else from being taken in; it is named, and the exit code
    is 1.
    """
    settings = Settings()
    now = instant_of_command(as_of, settings, dry_run=dry_run)
    policy, counts = feedback_policy_of(settings), dict[str, dict[str, int]]()
    keep = _Keep(now=now, dry_run=dry_run)
    with crm_database(settings) as engine, steps(quiet=as_json) as run:
        mailbox = run("Reading the bounce mailbox", partial(_mailbox, settings, engine, **keep))
        counts["bounce mailbox"] = dict(mailbox.counts)
        events = partial(take_provider_events, engine, mail_domain=settings.mail_domain, **keep)
        counts["events of the provider"] = run("Taking events in", events)
        if not dry_run:
            counts["unknown outcomes"] = run("Finding out", partial(_reconcile, settings, engine, now=now))
        over = partial(stop_over_limit, engine, policy.complaints, **keep)
        counts["complaints"] = run("Watching complaints", over)
        storms = partial(stop_storms, engine, bounce_limit_of(settings), **keep)
        counts["bounces"] = run("Watching bounces", storms)
        if not dry_run:
            tell_of_stops(engine, lambda stop: _say(f"Stopped: {stop.kind.value}", stop.in_words()), now=now)
        counts["refusals"] = run("Watching refusals", partial(tell_of_refusals, engine, tell=_say, **keep))
    print_counts("Would take in" if dry_run else "Taken in", counts, as_json=as_json)
    if mailbox.problem is not None:
        raise mailbox.problem


class _Mailbox(NamedTuple):
    """What was taken in from the bounce mailbox, and what was wrong with it."""

    counts: Mapping[str, int]
    problem: MailboxError | None = None


def _mailbox(settings: Settings, engine: Engine, **keep: Unpack[_Keep]) -> _Mailbox:
    try:
        return _Mailbox(_emptied(settings, engine, **keep))
    except MailboxError as error:
        return _Mailbox(error.counts, error)


def _emptied(settings: Settings, engine: Engine, **keep: Unpack[_Keep]) -> dict[str, int]:
    mailbox = bounce_mailbox_of(settings)
    if mailbox is None:
        REMARKS.print("No bounce mailbox is set (CRM_BOUNCE_MAILBOX_URL).", highlight=False)
        return {}
    secret, letters = settings.secret_key.get_secret_value().encode(), feedback_policy_of(settings).letters_a_run
    try:
        return empty_mailbox(engine, mailbox, secret=secret, letters_a_run=letters, **keep)
    finally:
        mailbox.close()


def _reconcile(settings: Settings, engine: Engine, *, now: datetime) -> dict[str, int]:
    outbox = outbox_of(settings, engine)
    try:
        return dict(reconcile(outbox, now=now).counts)
    finally:
        outbox.transport.close()


def _say(subject: str, sentence: str) -> None:
    """Whoever runs the command is told, instead of operations by mail."""
    REMARKS.print(f"{subject}. {sentence}", style="bold red", highlight=False, markup=False)
