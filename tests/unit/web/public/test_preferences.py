"""The preference page: topics and a pause, without a login."""

from datetime import date

import pytest
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import NOW, Workflows

from enrollment_crm.domain.preferences import Preferences
from enrollment_crm.domain.topics import Topic

PAGE = "/preferences/good"


def test_opening_the_page_shows_the_choice_and_changes_nothing(client: TestClient, workflows: Workflows) -> None:
    workflows.chosen = Preferences(frozenset({Topic.SESSIONS}), date(2027, 1, 15))
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert answer.text.count(" checked>") == 1
    assert 'value="2027-01-15"' in answer.text
    assert workflows.choices == []


def test_a_choice_is_kept_without_cookie_or_redirect(client: TestClient, workflows: Workflows) -> None:
    answer = client.post(PAGE, data={"deadlines": "yes", "paused_until": "2027-01-15"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "We write to you again from 2027-01-15 on" in answer.text
    assert workflows.choices == [(7, Preferences(frozenset({Topic.DEADLINES}), date(2027, 1, 15)), NOW)]


def test_stopping_everything_takes_one_button(client: TestClient, workflows: Workflows) -> None:
    answer = client.post(PAGE, data={"stop": "yes"})
    assert "We write to you no more" in answer.text
    assert workflows.choices == [(7, Preferences(frozenset(), None), NOW)]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-11-24", "Choose a day after today"),
        ("2029-01-01", "A pause lasts a year at most"),
        ("15.1.2027", "This is no date"),
        ("\x00<script>", "This is no date"),
    ],
)
def test_a_pause_that_cannot_be_is_given_back_in_words(
    client: TestClient, workflows: Workflows, day: str, words: str
) -> None:
    answer = client.post(PAGE, data={"news": "yes", "paused_until": day})
    assert answer.status_code == 422
    assert words in answer.text
    assert "<script>" not in answer.text
    assert answer.text.count(" checked>") == 1
    assert workflows.choices == []


def test_a_link_that_is_not_ours_or_leads_to_nobody_is_answered_in_words(
    client: TestClient, workflows: Workflows
) -> None:
    workflows.chosen = None
    news = {"news": "yes"}
    answers = [client.get(url) for url in (PAGE, "/preferences/bad")]
    answers += [client.post(url, data=news) for url in (PAGE, "/preferences/bad")]
    assert [one.status_code for one in answers] == [404] * 4
    assert all("Open the link in the email again" in one.text for one in answers)


def test_a_calendar_is_the_same_until_a_date_changes(client: TestClient, workflows: Workflows) -> None:
    answer = client.get("/calendar/good.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    known = {"If-None-Match": answer.headers["etag"]}
    same = client.get("/calendar/good.ics", headers=known)
    assert same.status_code == 304
    # Whoever may not store the first answer has no tag to ask with.
    assert {one.headers["cache-control"] for one in (answer, same)} == {"private, no-cache"}
    workflows.calendar = "BEGIN:VCALENDAR\r\nX-NEW:1\r\nEND:VCALENDAR\r\n"
    assert client.get("/calendar/good.ics", headers=known).status_code == 200


def test_a_calendar_of_nobody_is_gone_and_a_guess_finds_none(client: TestClient, workflows: Workflows) -> None:
    workflows.calendar = None
    assert client.get("/calendar/good.ics").status_code == 410
    assert client.get("/calendar/bad.ics").status_code == 404
