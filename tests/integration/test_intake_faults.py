"""Intake that is killed at every step, or whose database restarts in mid-batch: nothing is lost, nothing is double."""

import csv
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from tests.factories import PROGRAM
from tests.unit.stack.conftest import eventually

from enrollment_crm.bootstrap import country_zones_of, field_maps_of, identity_rules_of, programs_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import Delivery, Feed, drop_feed
from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.inbox import collect
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups

NOW = datetime(2026, 9, 2, 15, tzinfo=UTC)
LONG_AGO = 1_700_000_000
COLUMNS = ("First Name", "Email", "Entry Term", "Residency", "Email Consent")
#: Of each file: rows that are accepted, and one that is not.
ACCEPTED = 6


def drop(directory: Path, name: str, people: int) -> None:
    """A file of people whom nobody knows yet; the last one of them did not consent."""
    folder = directory / "signups_csv"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(people + 1):
            consent = "yes" if number < people else "no"
            writer.writerow(["Ana", f"{name}.{number}@example.edu", "fall 2027", "domestic", consent])
    os.utime(folder / f"{name}.csv", (LONG_AGO, LONG_AGO))


@dataclass(frozen=True)
class Intake:
    """The tasks of the DAG, one after the other."""

    validator: Validator
    directory: Path

    def run(self, engine: Engine, step: Callable[[], object] = lambda: None) -> None:
        settings = Settings()
        field_maps = field_maps_of(settings)
        collect(engine, [self._feed(step)], now=NOW)
        validate_pending(engine, self.validator, field_maps, kind=RecordKind.SIGNUP, secret=b"s" * 32, now=NOW)
        load_signups(engine, field_maps, country_zones=country_zones_of(settings), default_program=PROGRAM, now=NOW)
        rules = identity_rules_of(settings)
        route_people(engine, programs_of(settings), default_program=PROGRAM, rules=rules, now=NOW)

    def _feed(self, step: Callable[[], object]) -> Feed:
        """The drop folder; before and after a file is set aside is a step as well."""
        feed = drop_feed("signups_csv", RecordKind.SIGNUP, drop_directory=self.directory)

        def deliveries() -> Iterator[Delivery]:
            for one in feed.deliveries():
                yield Delivery(one.read, keep=lambda keep=one.keep: (step(), keep(), step()))  # type: ignore[misc]

        return Feed(feed.source, feed.kind, deliveries)


def killed_at(number: int, intake: Intake, url: str) -> bool:
    """Run it in a process of its own, which is killed at this step; False: it has no so many."""
    child = multiprocessing.get_context("fork").Process(target=_run_until, args=[number, intake, url])
    child.start()
    child.join(timeout=60)
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _run_until(number: int, intake: Intake, url: str) -> None:
    steps, engine = count(1), connect(url)

    def step(*_: object) -> None:
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, name, step)
    intake.run(engine, step)
    os._exit(0)  # no hooks of the tests


def check(engine: Engine, intake: Intake, *, files: int, accepted: int = ACCEPTED) -> None:
    """Each row of each file is there once, and everybody is a person with a route."""

    def one(statement: str) -> int:
        with engine.connect() as connection:
            return int(connection.execute(text(statement)).scalar_one())

    rows = files * (accepted + 1)
    assert one("SELECT count(*) FROM inbox") == rows
    assert one("SELECT sum(rows_in) FROM batch WHERE NOT is_replay") == rows
    assert one("SELECT sum(accepted) FROM batch") == files * accepted
    assert one("SELECT count(*) FROM inbox WHERE outcome = 'accepted'") == files * accepted
    assert one("SELECT count(*) FROM quarantine") == files
    assert one("SELECT count(*) FROM person") == one("SELECT count(*) FROM interest") == files * accepted
    assert one("SELECT count(*) FROM batch WHERE step <> 'loaded'") == 0
    assert one("SELECT count(*) FROM person WHERE residency = 'domestic'") == files * accepted
    assert [*(intake.directory / "signups_csv").glob("*.csv")] == []
    assert len([*(intake.directory / "signups_csv" / "done").iterdir()]) == files


@pytest.mark.slow
def test_killed_at_every_step_the_next_run_brings_everything_once(
    engine: Engine, validator: Validator, tmp_path: Path
) -> None:
    intake, url = Intake(validator, tmp_path), engine.url.render_as_string(hide_password=False)
    for number in count(1):
        drop(tmp_path, f"file-{number}", ACCEPTED)
        was_killed = killed_at(number, intake, url)
        intake.run(engine)
        check(engine, intake, files=number)
        if not was_killed:
            break
    assert number > 50  # otherwise hardly anything was a step


@pytest.fixture
def mortal_database(tmp_path: Path) -> Iterator[tuple[Engine, Supervisor]]:
    """A database of its own, which is started again when it is killed."""
    cluster = Cluster(tmp_path / "postgresql")
    with Supervisor(log_directory=tmp_path / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=("crm",))
        engine = connect(cluster.url("crm"))
        upgrade_schema(engine)
        yield engine, supervisor
        engine.dispose()


@pytest.mark.slow
def test_the_database_is_killed_in_mid_batch(
    mortal_database: tuple[Engine, Supervisor], validator: Validator, tmp_path: Path
) -> None:
    engine, supervisor = mortal_database
    directory = tmp_path / "drop"
    directory.mkdir()
    intake, people = Intake(validator, directory), 4_000
    began = time.monotonic()
    drop(directory, "first", people)
    intake.run(engine)  # how long it takes undisturbed
    whole = time.monotonic() - began
    interrupted = 0
    for number in range(1, 4):
        drop(directory, f"file-{number}", people)
        victim = supervisor.processes["postgresql"]
        killer = threading.Timer(whole * number / 4, os.kill, [victim, signal.SIGKILL])
        killer.start()
        try:
            intake.run(engine)
        except (SQLAlchemyError, psycopg.Error):
            interrupted += 1
        killer.join()
        assert eventually(partial(_is_back, supervisor, victim))
        supervisor.wait_until_ready()
        intake.run(engine)
        check(engine, intake, files=number + 1, accepted=people)
    assert interrupted > 1  # otherwise it was always over before


def _is_back(supervisor: Supervisor, victim: int) -> bool:
    return supervisor.processes.get("postgresql") not in (None, victim)
