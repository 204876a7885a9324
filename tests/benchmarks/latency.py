"""From the POST of the form to the welcome in the SMTP server, through real Airflow, beside an empty DAG.

Both are woken by the same trigger in the same run, in turn, on a warm stack. Airflow's triggerer hands its events over
once a second. Each round therefore begins anywhere within a second, and when the runs that the last one woke have
ended: one right after the other, the empty DAG always began just before that moment, and the signup just after.
"""

import mailbox
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import requests
from rich.progress import track
from sqlalchemy import Engine, text
from tests.benchmarks.measurement import Measurement

from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.stack import Stack
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.inbox import keep_one_row

_ROUNDS = 40
_WARM_UP = 3
_REST_IN_SECONDS = (1.0, 2.0)
_PATIENCE_IN_SECONDS = 120.0
_GOAL_P50_IN_SECONDS, _GOAL_P95_IN_SECONDS, _GOAL_RATIO = 3.0, 5.0, 2.0


def measure() -> list[Measurement]:
    """Medians and 95th percentiles of signups, beside those of the empty DAG."""
    with tempfile.TemporaryDirectory(prefix="enrollment-crm-bench-") as folder:
        home = _home_with_empty_dag(Path(folder) / "home")
        settings = Settings(home_directory=home, state_directory=Path(folder) / "stack")
        with Stack(settings, with_mailbox=True) as stack:
            return _measure(stack)


def _home_with_empty_dag(home: Path) -> Path:
    (home / "dags").mkdir(parents=True)
    for name in ("config", "templates", "expectations"):
        (home / name).symlink_to(CHECKOUT / name)
    for file in [*(CHECKOUT / "dags").glob("*.py"), *(Path(__file__).parent / "dags").glob("*.py")]:
        (home / "dags" / file.name).symlink_to(file)
    return home


def _measure(stack: Stack) -> list[Measurement]:
    engine = connect(stack.facts.database_url)
    client = AirflowClient(stack.facts)
    _until(lambda: "empty_event" in client.dags())
    empty, signup, moments = [], [], random.Random(20261124)
    for number in track(range(_WARM_UP + _ROUNDS), description="Signups and empty events in turn"):
        time.sleep(moments.uniform(*_REST_IN_SECONDS))
        empty.append(_time_empty_event(engine))
        time.sleep(moments.uniform(*_REST_IN_SECONDS))
        signup.append(_time_signup(stack, number))
    engine.dispose()
    return _rows(signup[_WARM_UP:], empty[_WARM_UP:])


def _time_empty_event(engine: Engine) -> float:
    began = time.monotonic()
    with transaction(engine) as connection:
        now = datetime.now(UTC)  # noqa: TID251 - a benchmark reads the clock
        row = keep_one_row(connection, {"id": str(uuid4())}, source="benchmark", kind="benchmark", received_at=now)

    def is_noted() -> bool:
        with transaction(engine) as connection:
            statement = text("SELECT outcome = 'accepted' FROM inbox WHERE id = :id")
            return bool(connection.execute(statement, {"id": row}).scalar_one())

    _until(is_noted)
    return time.monotonic() - began


def _time_signup(stack: Stack, number: int) -> float:
    mails, address = mailbox.Maildir(stack.facts.mail_directory or ""), f"ana.{number}@example.edu"
    # Others get mail too: whoever signed up a moment ago, a reminder that they had missed.
    seen, began = set(mails.keys()), time.monotonic()

    def is_welcomed() -> bool:
        new = set(mails.keys()) - seen
        seen.update(new)
        return any(address in str(mails[key]["To"]) for key in new)

    post = {"first_name": "Ana", "email": address, "entry_term": "fall 2027", "country": "US"}
    post |= {"residency": "domestic", "consent": "yes", "consent_text_version": "request-info-1"}
    url = f"{stack.facts.public_url}/request-info"
    requests.post(url, data=post, timeout=30, headers={"Accept": "application/json"}).raise_for_status()
    _until(is_welcomed)
    return time.monotonic() - began


def _until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_IN_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError("The stack did not do its work in time: see the logs in its state directory.")
        time.sleep(0.02)


def _rows(signup: list[float], empty: list[float]) -> list[Measurement]:
    rows = []
    for name, of, goal in (
        ("p50", statistics.median, _GOAL_P50_IN_SECONDS),
        ("p95", lambda taken: statistics.quantiles(taken, n=20)[-1], _GOAL_P95_IN_SECONDS),
    ):
        value, reference = of(signup), of(empty)
        ratio = value / reference
        rows.append(
            Measurement(
                f"signup POST to welcome accepted, {name}, beside an empty asset-triggered DAG",
                value,
                "s",
                reference,
                ratio,
                f"<= {goal:g} s, <= {_GOAL_RATIO:g}x",
                value <= goal and ratio <= _GOAL_RATIO,
            )
        )
    return rows
