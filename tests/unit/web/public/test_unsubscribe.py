"""The way out: RFC 8058."""

from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import NOW, Workflows

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def test_opening_the_link_changes_nothing(client: TestClient, workflows: Workflows) -> None:
    answer = client.get("/unsubscribe/good")
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert workflows.withdrawals == []


def test_one_click_withdraws_without_cookie_or_redirect(client: TestClient, workflows: Workflows) -> None:
    answer = client.post("/unsubscribe/good", data=ONE_CLICK)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert workflows.withdrawals == [(7, "deadlines", NOW)]


def test_multipart_one_click_and_a_second_click(client: TestClient, workflows: Workflows) -> None:
    files = {"List-Unsubscribe": (None, "One-Click")}
    assert [client.post("/unsubscribe/good", files=files).status_code for _ in range(2)] == [200, 200]
    assert {(person, topic) for person, topic, _ in workflows.withdrawals} == {(7, "deadlines")}


def test_bad_link_is_answered_in_words(client: TestClient, workflows: Workflows) -> None:
    for answer in (client.get("/unsubscribe/bad"), client.post("/unsubscribe/bad", data=ONE_CLICK)):
        assert answer.status_code == 404
        assert "Open the link in the email again" in answer.text
    assert workflows.withdrawals == []


def test_failed_withdrawal_is_never_confirmed(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = OperationalError("UPDATE", {}, Exception("refused"))
    answer = client.post("/unsubscribe/good", data=ONE_CLICK)
    assert answer.status_code == 503
    assert "Done" not in answer.text
