"""What wakes intake in real Airflow: a webhook, a dropped file, an outside call; and what a pause does not lose."""

import json
import time
from pathlib import Path

import pytest
import requests
from tests.end_to_end.conftest import eventually, mails_to
from tests.integration.public_app import headers_for

from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

#: Less than between two clocked runs (5 minutes), and more than a busy machine needs.
SOONER_THAN_THE_CLOCK_IN_SECONDS = 100


@pytest.fixture
def client(stack: Stack) -> AirflowClient:
    client = AirflowClient(stack.facts)
    eventually(lambda: "intake_signups" in client.dags())
    return client


def quiet(client: AirflowClient) -> set[object]:
    """The runs of the DAG so far, once none is under way."""
    eventually(lambda: not client.runs("intake_signups", state="running"))
    return {run["dag_run_id"] for run in client.runs("intake_signups")}


def woken_since(client: AirflowClient, before: set[object]) -> list[dict[str, object]]:
    """Runs since then that an asset has woken."""
    runs = [run for run in client.runs("intake_signups") if run["dag_run_id"] not in before]
    return [run for run in runs if run["run_type"] == "asset_triggered"]


def test_a_webhook_ends_as_a_welcome(stack: Stack, client: AirflowClient, mail_directory: Path) -> None:
    quiet(client)
    row = {"email": "wen@example.edu", "first_name": "Wen", "entry_term": "fall 2027", "consent": "yes"}
    body = json.dumps({"type": "registration.created", "timestamp": "2026-11-24T15:00:00Z", "data": row})
    url, began = f"{stack.facts.public_url}/webhooks/events_webhook", time.monotonic()
    for _ in range(2):
        answer = requests.post(url, data=body, headers=headers_for(body, "evt_wen"), timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert len(eventually(lambda: mails_to(mail_directory, "wen@example.edu"))) == 1
    assert time.monotonic() - began < SOONER_THAN_THE_CLOCK_IN_SECONDS


def test_a_dropped_file_wakes_intake(stack: Stack, client: AirflowClient, mail_directory: Path) -> None:
    before, began = quiet(client), time.monotonic()
    folder = stack.settings.drop_directory / "signups_csv"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "fair.csv"
    file.write_text("Email,First Name,Entry Term,Email Consent\nfil@example.edu,Fil,fall 2027,yes\n", "utf-8")
    assert eventually(lambda: woken_since(client, before))
    eventually(lambda: mails_to(mail_directory, "fil@example.edu"))
    assert time.monotonic() - began < SOONER_THAN_THE_CLOCK_IN_SECONDS
    assert eventually(lambda: not file.exists() and (folder / "done" / "fair.csv").exists())


def test_an_outside_system_wakes_intake_by_the_asset(client: AirflowClient) -> None:
    before = quiet(client)
    client.tell_asset("inbox_signups")
    assert eventually(lambda: woken_since(client, before))


def test_what_comes_while_the_dag_is_paused_is_taken_in_afterwards(
    stack: Stack, client: AirflowClient, mail_directory: Path
) -> None:
    quiet(client)
    client.pause("intake_signups")
    for number in range(2):
        body = json.dumps({"email": f"pau.{number}@example.edu", "entry_term": "fall 2027", "consent": "yes"})
        url = f"{stack.facts.public_url}/webhooks/events_webhook"
        answer = requests.post(url, data=body, headers=headers_for(body, f"evt_pau_{number}"), timeout=30)
        assert answer.status_code == 200
    time.sleep(5)
    assert mails_to(mail_directory, "pau.") == []
    client.pause("intake_signups", paused=False)
    for number in range(2):
        assert len(eventually(lambda n=number: mails_to(mail_directory, f"pau.{n}@example.edu"))) == 1  # type: ignore[misc]
