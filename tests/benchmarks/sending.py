"""Sending: rendered, personalised, ledgered messages to Postfix's ``smtp-sink``, beside one plain smtplib connection.

Two workers run the workflow that the tasks of Airflow run, on a durable PostgreSQL of their own. The reference pushes
one of their messages over and over to the same sink, in the same run. CPU is measured besides: machines are shared.
"""

import multiprocessing
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from sqlalchemy import Engine, select, text
from tests.benchmarks import sending_peers
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.people import fill

from enrollment_crm.bootstrap import outbox_of, programs_of
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.settings import Settings
from enrollment_crm.stack.ports import free_port
from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.models import MessageRow
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.storage.sweeps import record_sweeps
from enrollment_crm.workflows.deadlines import load_calendar
from enrollment_crm.workflows.reminders import Due, find_due, send_due

_PEOPLE = 16_000
_WORKERS = 2
_REFERENCE_MESSAGES = 2_000
_GOAL_A_SECOND, _GOAL_RATIO = 1_500, 0.6
_ARRIVED = datetime(2026, 8, 1, tzinfo=UTC)
#: Ten o'clock in Boston, a week before early action.
_NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """What one worker did: messages, when it began and ended by the machine's clock, and its CPU."""

    messages: int
    began: float
    ended: float
    cpu_in_seconds: float


def sink_program() -> str | None:
    """Postfix's test server; None: it is not installed here."""
    return shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def running_sink(program: str) -> Iterator[int]:
    """The sink on a free port of loopback."""
    port = free_port()
    command = [program, *(["-u", "nobody"] if os.geteuid() == 0 else []), f"127.0.0.1:{port}", "100"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sink:
        try:
            _until_open(port)
            yield port
        finally:
            sink.terminate()


def _until_open(port: int) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError("smtp-sink does not listen.")


@contextmanager
def ready_office(folder: Path) -> Iterator[tuple[str, list[Due]]]:
    """A durable database with people who are due now: its URL, and the units of the sweep."""
    cluster = Cluster(folder / "postgresql")
    with Supervisor(log_directory=folder / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=("crm",))
        engine = connect(cluster.url("crm"))
        upgrade_schema(engine)
        _fill(engine)
        due = find_due(outbox_of(Settings(), engine), now=_NOW)
        engine.dispose()
        yield cluster.url("crm"), due


def _fill(engine: Engine) -> None:
    load_calendar(engine, programs_of(Settings()), now=datetime(2026, 1, 1, tzinfo=UTC))
    with transaction(engine) as connection:
        fill(connection, _PEOPLE, program=Settings().default_program, since=_ARRIVED)
        connection.execute(text("UPDATE person SET zone = 'America/New_York'"))
        record_sweeps(connection, list(Sweep), _NOW - timedelta(minutes=5))


def send_as_a_worker(url: str, port: int, due: list[Due], number: int, start: Pipe) -> None:
    """One worker process: says that it is ready, waits for the word, sends, reports."""
    settings = Settings(smtp_port=port, allowed_recipient_domains="*")
    outbox = outbox_of(settings, connect(url))
    with transaction(outbox.engine):
        start.send("ready")
    start.recv()
    began, cpu, messages = time.monotonic(), time.process_time(), 0
    # Airflow gives each worker a part of its own; here each begins with another one.
    for unit in due[number:] + due[:number]:
        messages += send_due(outbox, unit, now=_NOW).counts["accepted"]
    outbox.transport.close()
    start.send(Sent(messages, began, time.monotonic(), time.process_time() - cpu))


def measure_ours(url: str, port: int, due: list[Due]) -> list[Sent]:
    """What the workers did, side by side."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for number in range(_WORKERS):
        ours, theirs = context.Pipe()
        process = context.Process(target=send_as_a_worker, args=(url, port, due, number, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    for pipe in pipes:
        pipe.send("go")
    sent = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    return sent


def measure_smtplib(port: int, content: bytes) -> tuple[float, float]:
    """One connection, one constant message: messages a second, and milliseconds of CPU a message."""
    with smtplib.SMTP("127.0.0.1", port, "crm.example") as session:
        session.ehlo()
        began, cpu = time.monotonic(), time.process_time()
        for _ in range(_REFERENCE_MESSAGES):
            session.sendmail("bounces@crm.example", ["p1@example.edu"], content)
        taken = time.monotonic() - began
    return _REFERENCE_MESSAGES / taken, (time.process_time() - cpu) * 1000 / _REFERENCE_MESSAGES


def measure() -> list[Measurement]:
    """Messages a second, beside the plain connection and what others reach, and CPU a message."""
    program = sink_program()
    if program is None:
        return [
            Measurement(
                "sending: not measured, Postfix's smtp-sink is not installed", 0, "1/s", None, None, "", ok=True
            )
        ]
    with tempfile.TemporaryDirectory(prefix="enrollment-crm-bench-") as folder, running_sink(program) as port:
        with ready_office(Path(folder)) as (url, due):
            sent = measure_ours(url, port, due)
            content = _one_content(url)
        plain = [measure_smtplib(port, content) for _ in range(3)]
        others = _others(Path(folder), port, _html_of(content))
    return [*_rows(sent, plain), *others]


def _rows(sent: list[Sent], plain: list[tuple[float, float]]) -> list[Measurement]:
    number = sum(one.messages for one in sent)
    rate = number / (max(one.ended for one in sent) - min(one.began for one in sent))
    reference, cpu_reference = (statistics.median(one[column] for one in plain) for column in (0, 1))
    cpu = sum(one.cpu_in_seconds for one in sent) * 1000 / number
    ratio, goal = rate / reference, f">= {_GOAL_A_SECOND:,}/s, >= {_GOAL_RATIO:g}x one plain smtplib connection"
    return [
        Measurement(
            f"{number:,} messages sent and ledgered by {_WORKERS} workers, beside smtplib with a constant one",
            rate, "1/s", reference, ratio, goal, rate >= _GOAL_A_SECOND and ratio >= _GOAL_RATIO,
        ),
        Measurement(
            "CPU of a worker for a message sent and ledgered, beside smtplib", cpu, "ms", cpu_reference,
            cpu / cpu_reference, "measured", ok=True,
        ),
    ]  # fmt: skip


def _others(folder: Path, port: int, html: str) -> list[Measurement]:
    peers = {"django-post_office": sending_peers.post_office, "nodemailer's pool": sending_peers.nodemailer}
    found = {name: measure_peer(folder, port, html) for name, measure_peer in peers.items()}
    return [
        Measurement(
            f"{name}, the same sink" + ("" if rate else ": not measured, it cannot be installed here"),
            rate or 0, "1/s", None, None, "measured", ok=True,
        )
        for name, rate in found.items()
    ]  # fmt: skip


def _one_content(url: str) -> bytes:
    engine = connect(url)
    with transaction(engine) as connection:
        content = connection.execute(select(MessageRow.content).limit(1)).scalar_one() or b""
    engine.dispose()
    return content


def _html_of(content: bytes) -> str:
    body = message_from_bytes(content, policy=policy.default).get_body(("html",))
    return body.get_content() if body else ""
