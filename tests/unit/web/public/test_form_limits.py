"""Floods and robots: limits with words, a trap and a stopwatch, and nobody who is lost by them."""

import logging
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import NOW, Workflows
from tests.unit.web.public.test_request_info import ANSWERS, JSON_ONLY, changed, value_of

from enrollment_crm.web.public.signup_form import SUSPICION
from enrollment_crm.web.public.site import build_site

Client = Callable[[], TestClient]


@pytest.fixture
def limited(workflows: Workflows) -> Client:
    """Makes a client of the site after the test has set the limits."""
    return lambda: TestClient(build_site(workflows.parts()), follow_redirects=False)


def status_of(client: TestClient, *, email: str = "mei@example.com", forwarded: str = "") -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    status: int = client.post("/request-info", data=changed(email=email), headers=headers).status_code
    return status


def test_a_client_is_limited_and_let_in_again(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_client_and_minute = 2
    client = limited()
    assert [status_of(client, email=f"{number}@example.com") for number in range(3)] == [303, 303, 429]
    workflows.seconds += 30
    assert status_of(client) == 303
    assert len(workflows.forms) == 3


def test_an_address_is_limited_in_whatever_case(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_address_and_hour = 2
    client = limited()
    spellings = ("mei@example.com", " MEI@example.com", "Mei@Example.COM", "ben@example.com")
    assert [status_of(client, email=one) for one in spellings] == [303, 303, 429, 303]


def test_a_form_to_mend_uses_nothing_up_of_its_address(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_address_and_hour = 1
    client = limited()
    assert client.post("/request-info", data=changed(consent="")).status_code == 422
    assert status_of(client) == 303


def test_clients_behind_a_named_proxy_are_told_apart(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_client_and_minute = 1
    workflows.trusted_proxies = "10.0.0.0/8"
    client = TestClient(build_site(workflows.parts()), follow_redirects=False, client=("10.0.0.1", 50_000))
    assert [status_of(client, forwarded=one) for one in ("198.51.100.1", "198.51.100.2", "198.51.100.1")] == [
        303, 303, 429,
    ]  # fmt: skip


def test_strangers_do_not_escape_by_a_header(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_client_and_minute = 1
    client = limited()
    assert [status_of(client, forwarded=one) for one in ("198.51.100.1", "198.51.100.2")] == [303, 429]


def test_an_unnamed_proxy_is_told_once(limited: Client, caplog: pytest.LogCaptureFixture) -> None:
    client = limited()
    for _ in range(3):
        status_of(client, forwarded="198.51.100.1")
    assert caplog.text.count("CRM_TRUSTED_PROXIES does not name its sender") == 1
    assert "198.51.100" not in caplog.text


def test_the_page_says_how_long_and_keeps_the_answers(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_address_and_hour = 1
    client = limited()
    status_of(client)
    answer = client.post("/request-info", data=ANSWERS)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert "Please wait 60 minutes and send them again" in " ".join(answer.text.split())
    assert 'role="alert"' in answer.text
    assert "<title>Please wait a little" in answer.text
    workflows.seconds += 3600
    again = {name: value_of(answer.text, name) for name in ANSWERS}
    assert client.post("/request-info", data=again).status_code == 303
    assert workflows.forms == [ANSWERS, ANSWERS]


def test_a_program_is_told_in_json(limited: Client, workflows: Workflows) -> None:
    workflows.posts_per_client_and_minute = 1
    client = limited()
    client.post("/request-info", json=ANSWERS, headers=JSON_ONLY)
    answer = client.post("/request-info", json=ANSWERS, headers=JSON_ONLY)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.json() == {
        "received": False,
        "detail": "Too many forms came from you. Send the same body again in a minute.",
    }


def test_who_waits_is_counted_and_not_named(
    limited: Client, workflows: Workflows, caplog: pytest.LogCaptureFixture
) -> None:
    workflows.posts_per_address_and_hour = 1
    client = limited()
    with caplog.at_level(logging.DEBUG, "enrollment_crm"):
        for _ in range(3):
            status_of(client)
    assert "form limited by address, 2 times since the start" in caplog.text
    assert "mei" not in caplog.text.lower()


@pytest.mark.parametrize(
    ("seconds", "is_suspected"), [(0, True), (1.9, True), (2, False), (3600, False), (1e6, False), (-5, False)]
)
def test_a_form_that_is_sent_faster_than_people_can_is_kept_with_a_note(
    limited: Client, workflows: Workflows, seconds: float, is_suspected: bool
) -> None:
    client = limited()
    shown_at = value_of(client.get("/request-info").text, "shown_at")
    assert float(shown_at) == NOW.timestamp()
    workflows.seconds += seconds
    answer = client.post("/request-info", data=changed(shown_at=shown_at))
    assert (answer.status_code, answer.headers["location"]) == (303, "/request-info/thank-you")
    assert workflows.forms[0].get("suspicion") == (SUSPICION if is_suspected else None)


@pytest.mark.parametrize("shown_at", ["", "soon", "nan", "inf", "-inf", "1e400", "9" * 400])
def test_an_instant_that_cannot_be_says_nothing(client: TestClient, workflows: Workflows, shown_at: str) -> None:
    assert client.post("/request-info", data=changed(shown_at=shown_at)).status_code == 303
    assert "suspicion" not in workflows.forms[0]


def test_who_mends_a_form_is_not_timed_anew(client: TestClient, workflows: Workflows) -> None:
    page = client.get("/request-info").text
    workflows.seconds += 60
    to_mend = client.post("/request-info", data=changed(email="", shown_at=value_of(page, "shown_at"))).text
    workflows.seconds += 1
    client.post("/request-info", data=changed(shown_at=value_of(to_mend, "shown_at")))
    assert "suspicion" not in workflows.forms[0]


def test_a_robot_gets_the_page_that_everybody_gets(client: TestClient, workflows: Workflows) -> None:
    caught = client.post("/request-info", data=changed(website="https://spam.example"))
    person = client.post("/request-info", data=changed(submission="another"))
    assert (caught.status_code, caught.headers["location"]) == (person.status_code, person.headers["location"])
    assert [form["website"] for form in workflows.forms] == ["https://spam.example", ""]
