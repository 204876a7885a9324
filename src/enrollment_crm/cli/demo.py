"""``enrollment-crm demo``: the whole pipeline at work on made-up people."""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status
from sqlalchemy import Engine

from enrollment_crm.bootstrap import clock_of, outbox_of
from enrollment_crm.cli.demo_input import Samples
from enrollment_crm.cli.demo_outcome import (
    DAGS,
    NotFinishedError,
    Progress,
    count_mails,
    patiently,
    problems_of,
    wait_until_treated,
    wake,
)
from enrollment_crm.cli.options import NOW, AsJson, read_instant_or_now
from enrollment_crm.cli.people import print_overview
from enrollment_crm.cli.running import (
    StartedBy,
    StartProgress,
    ended_properly,
    facts_as_json,
    print_facts,
    restarts_in_words,
    stay_up,
)
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.slate_feed import SlateFeed
from enrollment_crm.stack.stack import Stack
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.overview import count_rows
from enrollment_crm.workflows.backlog import backlog
from enrollment_crm.workflows.overview import Overview, overview

#: Early-action T-7, a final deadline and a prep session are all in play then.
_DEFAULT_AS_OF = "2026-11-24T10:00:00-05:00"
_FAILED = 1

AsOfOrNow = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar=f"INSTANT|{NOW}",
        help="The instant that the demonstration takes for now, with its zone (RFC 3339); `now`: the clock.",
    ),
]


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Check the outcome, stop, and end with 0 (all is well) or 1.")
    ] = False,
    as_of: AsOfOrNow = _DEFAULT_AS_OF,
    as_json: AsJson = False,
    started_by: StartedBy = None,
) -> None:
    """Start everything, feed about sixty made-up people, and show what became of each.

    Signups come by form posts and a dropped file, applications from a Slate query and a WebAdMIT export; the DAGs
    take them from there. It stays up until Ctrl-C. Run it again: nothing that was sent is sent again. Its data is in
    `build/demo` (with `--as-of now`: `build/demo-now`) unless CRM_STATE_DIRECTORY names another folder; delete it to
    begin anew.

    Ports are free ones. To fix them, set CRM_PUBLIC_PORT (the form) or CRM_AIRFLOW_PORT, for example
    `CRM_PUBLIC_PORT=8000 CRM_AIRFLOW_PORT=8080 make demo`.

    Exit codes: 0 stopped when asked, or all is well with `--once`; 1 could not start or go on, or something is not as
    it must be; 2 the command or the settings are wrong, or a port or the folder belongs to another program.
    """
    console = Console(stderr=as_json)
    with ended_properly(console, starter=started_by):
        settings = demonstration_settings(as_of)
        samples = Samples(settings.home_directory / "samples")
        feed = SlateFeed(samples.slate_file, key="demonstration")
        settings = settings.model_copy(update={"slate_query_url": feed.url})
        _show(settings, samples, feed, once=once, as_json=as_json, console=console)


def demonstration_settings(as_of: str) -> Settings:
    """The settings of a demonstration: what the person has set, over what a demonstration needs."""
    instant = read_instant_or_now(as_of)
    asked = Settings().model_dump(exclude_unset=True)
    state_directory = asked.get("state_directory", CHECKOUT / "build" / ("demo" if instant else "demo-now"))
    needed: dict[str, object] = {
        "state_directory": state_directory,
        "slate_query_key": "demonstration",
        "as_of": instant,
        # The mail server is on loopback: a worker that does not answer for long is dead.
        "smtp_connect_timeout_in_seconds": 3,
        "smtp_command_timeout_in_seconds": 5,
        "smtp_data_timeout_in_seconds": 10,
        "lease_in_seconds": 20,
    }
    return Settings.model_validate(needed | asked | {"as_of": instant})


def _show(
    settings: Settings, samples: Samples, feed: SlateFeed, *, once: bool, as_json: bool, console: Console
) -> None:
    began, progress = time.monotonic(), StartProgress(console)
    with progress, Stack(settings, with_mailbox=True, services=[feed.service()], on_change=progress.note) as stack:
        progress.finish()
        mail_directory = stack.facts.mail_directory or Path()
        mails_before = count_mails(mail_directory)
        engine = connect(stack.facts.database_url)
        seen, rows_expected = _treat(stack, samples, engine, console)
        mails = count_mails(mail_directory) - mails_before
        problems = problems_of(seen, rows_expected=rows_expected, mail_directory=mail_directory)
        _print(stack, seen, mails=mails, seconds=time.monotonic() - began, problems=problems, as_json=as_json)
        engine.dispose()
        if once:
            raise typer.Exit(_FAILED if problems else 0)
        stay_up(stack, console)


def _treat(stack: Stack, samples: Samples, engine: Engine, console: Console) -> tuple[Overview, int]:
    """Feed the samples, wait until the DAGs have treated everybody, and look at the outcome."""
    settings = stack.settings
    now, outbox = clock_of(settings), outbox_of(settings, engine)
    airflow = AirflowClient(stack.facts)
    with console.status("Waiting for Airflow to know the DAGs") as status:
        _wait_for_dags(airflow, stack)
        status.update("Feeding the samples")
        patiently(stack.check, lambda: samples.announce_sessions(engine, now=now()))
        samples.drop_files(settings.drop_directory)
        posted = samples.post_forms(stack.facts.public_url, send=partial(patiently, stack.check))
        wake(airflow, "intake_applications")  # the forms have woken the signups; nobody announces a feed
        rows_expected = samples.count_rows() + posted.taken

        def look() -> Progress:
            with transaction(engine) as connection:
                arrived = count_rows(connection)
            return Progress(arrived, rows_expected, backlog(outbox, now=now()))

        wait_until_treated(lambda: patiently(stack.check, look), airflow, show=_shown_in(status))
        return patiently(stack.check, lambda: overview(engine, now=now())), rows_expected


def _wait_for_dags(airflow: AirflowClient, stack: Stack) -> None:
    deadline = time.monotonic() + 120
    while not set(DAGS) <= set(patiently(stack.check, airflow.dags)):
        stack.check()
        if time.monotonic() > deadline:
            raise NotFinishedError("Airflow does not know the DAGs after two minutes: see the dag-processor's log.")
        time.sleep(0.2)


def _shown_in(status: Status) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        status.update(progress.in_words())

    return show


def _print(stack: Stack, seen: Overview, *, mails: int, seconds: float, problems: list[str], as_json: bool) -> None:
    if as_json:
        facts = {"mails_sent": mails, "seconds": round(seconds, 1), "problems": problems, "people": len(seen.people)}
        typer.echo(json.dumps(facts_as_json(stack.facts) | facts))
        return
    print_overview(seen)
    console = Console()
    print_facts(console, stack.facts)
    console.print(f"{mails} emails were sent in this run, {seconds:.0f} s after the start.")
    if any(stack.restarts.values()):
        console.print(f"Died on the way and started again: {restarts_in_words(stack.restarts)}.")
    for problem in problems:
        console.print(f"[bold red]Not as it must be:[/] {problem}")
    if not problems:
        console.print("[bold green]All is well:[/] everybody has been treated, each once.")
