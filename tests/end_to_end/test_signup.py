"""A form post travels through real Airflow and ends as the right email in a real SMTP inbox."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest
import requests
from tests.end_to_end.conftest import eventually, mails_to

from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.members import STACK_VARIABLE, members_of
from enrollment_crm.stack.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

FORM = {
    "first_name": "Mei",
    "last_name": "Chen",
    "country": "CN",
    "residency": "international_outside_us",
    "entry_term": "fall 2027",
    "consent": "yes",
    "consent_text_version": "request-info-1",
    "time_zone": "Asia/Shanghai",
}


def _sign_up(stack: Stack, address: str) -> None:
    post = FORM | {"email": address, "submission": address}
    answer = requests.post(
        f"{stack.facts.public_url}/request-info", data=post, headers={"Accept": "application/json"}, timeout=60
    )
    assert answer.status_code == 202


def test_the_welcome_names_term_deadline_and_both_clocks(stack: Stack, mail_directory: Path) -> None:
    _sign_up(stack, "mei.chen@example.edu")

    (welcome,) = eventually(lambda: mails_to(mail_directory, "mei.chen@example.edu"))

    body = welcome.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "fall 2027" in text
    assert "Tuesday, December 1, 11:59 p.m. Boston" in text
    assert "Wednesday, December 2, 12:59 p.m. in Shanghai" in text
    assert welcome["Auto-Submitted"] == "auto-generated"
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<[0-9a-f]{32}@crm\.example>", str(welcome["Message-ID"]))
    assert str(welcome["Feedback-ID"]).startswith("welcome:ms-advanced-intelligent-manufacturing:")
    assert str(welcome["Return-Path"]).strip("<>").startswith("bounces+")
    assert [part.get_content_type() for part in welcome.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["scheduler", "public-app", "triggerer", "task"])
def test_killing_a_process_loses_nobody_and_writes_twice_to_nobody(
    stack: Stack, mail_directory: Path, victim: str
) -> None:
    addresses = [f"{victim}.{number}@example.edu" for number in range(3)]
    for address in addresses:
        _sign_up(stack, address)

    _kill(stack, victim)
    stack.wait_until_ready()

    client = AirflowClient(stack.facts)
    for address in addresses:
        eventually(lambda address=address: mails_to(mail_directory, address))  # type: ignore[misc]
    client.trigger("intake_signups")  # and once more: whatever was half done is brought to its end
    eventually(lambda: not client.runs("intake_signups", state="running"))
    assert [len(mails_to(mail_directory, address)) for address in addresses] == [1, 1, 1]


def _kill(stack: Stack, victim: str) -> None:
    if victim != "task":
        os.kill(stack.processes[victim], signal.SIGKILL)
        return
    stack_id = psutil.Process(stack.processes["scheduler"]).environ()[STACK_VARIABLE]
    task = eventually(lambda: next(filter(_runs_a_task, members_of(stack_id)), None))
    assert task is not None
    task.kill()


def _runs_a_task(process: psutil.Process) -> bool:
    """Airflow names the process that runs a task after the task instance."""
    try:
        return re.search(r"airflow worker -- [0-9a-f]{8}-", " ".join(process.cmdline())) is not None
    except psutil.Error:
        return False
