"""The request-info page: what it offers, what it keeps, what it asks to be mended."""

import html
import re
from collections.abc import Mapping

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import Workflows

ANSWERS = {
    "first_name": "Mei",
    "last_name": "Tanaka",
    "email": "mei@example.com",
    "phone": "+81 3 1234 5678",
    "country": "JP",
    "residency": "international_outside_us",
    "entry_term": "fall 2027",
    "prep_session": "prep-sessions-9",
    "program": "ms-advanced-intelligent-manufacturing",
    "consent": "yes",
    "consent_text_version": "request-info-1",
    "page": "https://crm.example/request-info",
    "campaign": "autumn",
    "utm_source": "newsletter",
    "utm_medium": "email",
    "utm_term": "",
    "utm_content": "",
    "time_zone": "Asia/Tokyo",
    "submission": "a-token",
    "shown_at": "1795532000.000",
    "website": "",
}
DATABASE_IS_DOWN = OperationalError("INSERT INTO inbox ...", {"email": "mei@example.com"}, Exception("refused"))
JSON_ONLY = {"Accept": "application/json"}


def value_of(page: str, name: str) -> str:
    """The value of the input of that name in a page."""
    match = re.search(rf'<input[^>]*name="{name}"[^>]*?value="([^"]*)"', page, re.DOTALL)
    assert match, f"no input {name}"
    return html.unescape(match[1])


def changed(**answers: str) -> Mapping[str, str]:
    """The answers with some of them changed."""
    return {**ANSWERS, **answers}


def test_page_asks_for_every_field_that_is_kept(client: TestClient) -> None:
    page = client.get("/request-info").text
    asked = set(re.findall(r'name="(\w+)"', page)) - {"viewport", "robots"}
    assert asked == set(ANSWERS)


def test_page_offers_the_terms_and_sessions_of_the_moment(client: TestClient) -> None:
    page = client.get("/request-info").text
    assert '<option value="fall 2027">Fall 2027</option>' in page
    assert '<option value="prep-sessions-9">Prep session, Friday, December 4, 10:00 a.m. Boston</option>' in page
    assert '<option value="JP">Japan</option>' in page


def test_hidden_fields_carry_program_page_and_campaign(client: TestClient) -> None:
    page = client.get("/request-info?utm_source=news&utm_campaign=%22%3E%3Cscript%3E").text
    assert value_of(page, "program") == "ms-advanced-intelligent-manufacturing"
    assert value_of(page, "page") == "https://crm.example/request-info"
    assert value_of(page, "utm_source") == "news"
    assert value_of(page, "campaign") == '"><script>'
    assert "<script>" not in page


def test_link_may_name_another_program(client: TestClient) -> None:
    page = client.get("/request-info?program=ms-robotics").text
    assert "<h1>MS in Robotics</h1>" in page
    assert value_of(page, "program") == "ms-robotics"
    to_mend = client.post("/request-info", data=changed(program="ms-robotics", email="")).text
    assert "<h1>MS in Robotics</h1>" in to_mend


def test_unknown_program_is_not_taken_for_another(client: TestClient, workflows: Workflows) -> None:
    answer = client.get("/request-info?program=ms-alchemy")
    assert answer.status_code == 404
    assert "no program of that name" in answer.text
    client.post("/request-info", data=changed(program="ms-alchemy"))
    assert workflows.forms[0]["program"] == "ms-alchemy"


def test_every_page_has_a_token_of_its_own(client: TestClient) -> None:
    tokens = {value_of(client.get("/request-info").text, "submission") for _ in range(3)}
    assert len(tokens) == 3


def test_no_residency_is_chosen_beforehand(client: TestClient) -> None:
    assert " checked" not in client.get("/request-info").text


def test_post_is_kept_as_it_came_and_thanked_for(client: TestClient, workflows: Workflows) -> None:
    answer = client.post("/request-info", data=ANSWERS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/request-info/thank-you")
    assert workflows.forms == [ANSWERS]
    assert "Thank you" in client.get(answer.headers["location"]).text


def test_dubious_answers_are_taken_as_they_are(client: TestClient, workflows: Workflows) -> None:
    dubious = changed(country="Atlantis", entry_term="999999", residency="martian", phone="?", website="spam")
    assert client.post("/request-info", data=dubious).status_code == 303
    assert workflows.forms == [dubious]


def test_post_without_a_token_gets_one(client: TestClient, workflows: Workflows) -> None:
    client.post("/request-info", data=changed(submission=""))
    client.post("/request-info", data={k: v for k, v in ANSWERS.items() if k != "submission"})
    tokens = [form["submission"] for form in workflows.forms]
    assert all(tokens)
    assert len(set(tokens)) == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "mei.example.com"}, "email"),
        ({"email": "mei@example"}, "email"),
        ({"email": "mei @example.com"}, "email"),
        ({"consent": ""}, "consent"),
        ({"consent": "no"}, "consent"),
        ({"first_name": " ", "last_name": ""}, "first_name"),
    ],
)
def test_what_can_be_mended_is_shown_and_not_kept(
    client: TestClient, workflows: Workflows, wrong: dict[str, str], field: str
) -> None:
    answer = client.post("/request-info", data=changed(**wrong))
    assert answer.status_code == 422
    assert workflows.forms == []
    assert f'<li><a href="#{field}">' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-describedby="{field}-error" aria-invalid="true"', answer.text)
    assert "<title>Error: " in answer.text


@pytest.mark.parametrize("address", ["mei+crm@example.com", "MEI@EXAMPLE.CO.JP", "用户@例子.公司", "o'neil@a-b.museum"])
def test_unusual_addresses_pass(client: TestClient, address: str) -> None:
    assert client.post("/request-info", data=changed(email=f" {address} ")).status_code == 303


def test_answers_are_kept_on_the_page_to_mend(client: TestClient) -> None:
    page = client.post("/request-info", data=changed(email="", first_name='"Mei"')).text
    assert value_of(page, "first_name") == '"Mei"'
    assert value_of(page, "submission") == "a-token"
    assert '<option value="JP" selected>' in page
    assert '<option value="fall 2027" selected>' in page
    assert 'value="international_outside_us" checked' in page
    assert 'value="yes" required checked' in page


def test_agreement_is_to_the_text_on_the_page(client: TestClient) -> None:
    page = client.post("/request-info", data=changed(email="", consent_text_version="forged")).text
    assert value_of(page, "consent_text_version") == "request-info-1"


def test_program_gets_json(client: TestClient, workflows: Workflows) -> None:
    answer = client.post("/request-info", json={**ANSWERS, "phone": None, "age": 7}, headers=JSON_ONLY)
    assert (answer.status_code, answer.json()) == (202, {"received": True})
    assert workflows.forms == [{**ANSWERS, "phone": "", "age": "7"}]


def test_program_is_told_what_to_mend(client: TestClient, workflows: Workflows) -> None:
    answer = client.post("/request-info", json=changed(email=""), headers=JSON_ONLY)
    assert answer.status_code == 422
    assert answer.json() == {"received": False, "problems": {"email": "Enter your email address."}}
    assert workflows.forms == []


def test_database_down_gives_the_answers_back_and_no_thanks(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = DATABASE_IS_DOWN
    answer = client.post("/request-info", data=ANSWERS)
    assert answer.status_code == 503
    assert "Thank you" not in answer.text
    assert "nothing was lost on your side" in answer.text
    workflows.failure = None
    again = {name: value_of(answer.text, name) for name in ANSWERS}
    assert client.post("/request-info", data=again).status_code == 303
    assert workflows.forms == [ANSWERS]


def test_database_down_is_told_to_programs(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = DATABASE_IS_DOWN
    answer = client.post("/request-info", json=ANSWERS, headers=JSON_ONLY)
    assert answer.status_code == 503
    assert answer.json()["received"] is False
    assert answer.json()["submission"] == "a-token"


def test_database_down_before_the_form_is_shown(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = DATABASE_IS_DOWN
    answer = client.get("/request-info")
    assert answer.status_code == 503
    assert "try again" in answer.text
    assert answer.headers["retry-after"] == "60"


def test_logs_hold_no_person(client: TestClient, workflows: Workflows, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="enrollment_crm")
    client.post("/request-info?utm_source=secret", data=ANSWERS)
    workflows.failure = DATABASE_IS_DOWN
    client.post("/request-info", data=ANSWERS)
    assert "inbox row 1, 21 fields" in caplog.text
    assert "OperationalError" in caplog.text
    for private in ("mei@example.com", "Tanaka", "1234", "secret", "a-token"):
        assert private not in caplog.text
