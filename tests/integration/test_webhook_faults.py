"""Faults around a webhook: what was answered with 2xx is in the inbox once, and the rest its sender still has."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from tests.integration.public_app import PublicApp, headers_for, running_public_app
from tests.unit.stack.conftest import eventually

from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.schema import upgrade_schema


@dataclass
class Site:
    """The app, and the durable database that tests kill."""

    app: PublicApp
    cluster: Cluster
    supervisor: Supervisor

    def post(self, event: str) -> int:
        """Status of one post of one row; 0: no answer came."""
        body = json.dumps({"email": f"{event}@example.edu", "consent": "yes"})
        try:
            url = f"{self.app.url}/webhooks/events_webhook"
            answer = requests.post(url, data=body, headers=headers_for(body, event), timeout=30)
        except requests.ConnectionError:
            return 0
        assert answer.status_code != 503 or answer.headers["retry-after"] == "60"
        return answer.status_code

    def rows(self) -> dict[str, int]:
        """How many rows each event has in the inbox."""
        engine = connect(self.cluster.url("crm"))
        try:
            with engine.connect() as connection:
                emails = connection.execute(text("SELECT raw ->> 'email' FROM inbox")).scalars().all()
        finally:
            engine.dispose()
        names = [email.partition("@")[0] for email in emails]
        return {name: names.count(name) for name in names}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    cluster = Cluster(tmp_path / "postgresql")
    with Supervisor(log_directory=tmp_path / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=("crm",))
        engine = connect(cluster.url("crm"))
        upgrade_schema(engine)
        engine.dispose()
        with running_public_app(cluster.url("crm"), tmp_path) as app:
            yield Site(app, cluster, supervisor)


@pytest.mark.slow
def test_killed_between_commit_and_answer_the_row_is_there_once_after_the_next_try(site: Site) -> None:
    assert site.post("before") == 200
    site.app.trap.touch()
    assert site.post("victim") == 0
    assert site.app.process is not None
    assert site.app.process.wait(timeout=10) == -signal.SIGKILL
    assert site.rows() == {"before": 1, "victim": 1}
    site.app.start()
    assert site.post("victim") == 200
    assert site.rows() == {"before": 1, "victim": 1}


@pytest.mark.slow
def test_database_killed_during_a_burst(site: Site) -> None:
    victim = site.supervisor.processes["postgresql"]
    answers: dict[str, int] = {}

    def post(number: int) -> None:
        if number == 100:
            os.kill(victim, signal.SIGKILL)
        time.sleep(0.01)
        answers[f"e{number}"] = site.post(f"e{number}")

    with ThreadPoolExecutor(8) as senders:
        list(senders.map(post, range(300)))
    assert eventually(lambda: site.supervisor.processes.get("postgresql") not in (None, victim))
    site.supervisor.wait_until_ready()

    assert set(answers.values()) == {200, 503}
    rows, taken = site.rows(), {event for event, status in answers.items() if status == 200}
    assert {event: rows.get(event) for event in taken} == dict.fromkeys(taken, 1)
    assert set(rows.values()) == {1}

    again = {event: site.post(event) for event, status in answers.items() if status != 200}
    assert set(again.values()) == {200}
    assert site.rows() == dict.fromkeys(answers, 1)


def test_a_sender_that_leaves_in_the_middle_of_a_body_leaves_nothing(site: Site) -> None:
    body = json.dumps({"email": "half@example.edu"})
    head = "".join(f"{name}: {value}\r\n" for name, value in headers_for(body, "half").items())
    for length in (f"content-length: {len(body)}", "transfer-encoding: chunked"):
        half = body[:10] if "length" in length else f"{10:x}\r\n{body[:10]}\r\n"
        with socket.create_connection(("127.0.0.1", site.app.port)) as sender:
            request = f"POST /webhooks/events_webhook HTTP/1.1\r\nhost: x\r\n{head}{length}\r\n\r\n{half}"
            sender.sendall(request.encode())
            time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", site.app.port)) as sender:
        sender.sendall(b"POST /request-info HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nfirst_name=")
        time.sleep(0.2)
    assert site.post("whole") == 200
    assert site.rows() == {"whole": 1}
    assert "Traceback" not in site.app.log
    assert "Exception in ASGI" not in site.app.log
