"""The webhook endpoint: whose post is taken, what is taken of it, and how little strangers learn."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from standardwebhooks import Webhook
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import NOW, SECRETS, Workflows

from enrollment_crm.web.public.webhooks import MAX_BODY_IN_BYTES

ROW = {"email": "mei@example.com", "consent": "yes"}
STRANGER = "whsec_c3RyYW5nZXJzIGtub3cgbm8gc2VjcmV0IG9mIG91cnM="


def signed(
    body: str, *, event: str = "evt_1", at: datetime = NOW, secret: str = SECRETS[0], **changed: str
) -> dict[str, str]:
    """The headers of a sender that uses the package of the specification."""
    return {
        "webhook-id": event,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event, at, body),
        "content-type": "application/json",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }


def post(client: TestClient, body: str, headers: Mapping[str, str], source: str = "fair") -> tuple[int, Any]:
    answer = client.post(f"/webhooks/{source}", content=body.encode(), headers=dict(headers))
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (ROW, [ROW]),
        ([ROW, {"email": "b"}], [ROW, {"email": "b"}]),
        ([], []),
        (
            {"type": "signup.created", "timestamp": "2026-11-24T15:00:00Z", "data": ROW},
            [{"type": "signup.created", "timestamp": "2026-11-24T15:00:00Z", **ROW}],
        ),
    ],
)
def test_row_rows_and_envelope_are_taken(client: TestClient, workflows: Workflows, body: object, rows: object) -> None:
    content = json.dumps(body)
    assert post(client, content, signed(content)) == (200, {"received": True})
    assert workflows.events == {"evt_1": rows}


def test_the_headers_of_svix_are_the_same_under_another_name(client: TestClient, workflows: Workflows) -> None:
    content = json.dumps(ROW)
    headers = {name.replace("webhook-", "svix-"): value for name, value in signed(content).items()}
    assert post(client, content, headers)[0] == 200
    assert workflows.events == {"evt_1": [ROW]}
    assert post(client, content + " ", headers)[0] == 401


@pytest.mark.parametrize("secret", SECRETS)
def test_both_live_secrets_sign(client: TestClient, workflows: Workflows, secret: str) -> None:
    content = json.dumps(ROW)
    assert post(client, content, signed(content, secret=secret))[0] == 200
    assert len(workflows.events) == 1


def test_one_good_signature_among_several_is_enough(client: TestClient) -> None:
    content = json.dumps(ROW)
    good, stranger = (signed(content, secret=one)["webhook-signature"] for one in (SECRETS[1], STRANGER))
    several = f"v1a,AAAA {stranger} nonsense v1, {good}"
    assert post(client, content, signed(content, webhook_signature=several))[0] == 200


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_clocks_may_differ_by_five_minutes_either_way(client: TestClient, seconds: int) -> None:
    content = json.dumps(ROW)
    assert post(client, content, signed(content, at=NOW + timedelta(seconds=seconds)))[0] == 200


def refused() -> Iterator[tuple[str, dict[str, str]]]:
    content = json.dumps(ROW)
    good = signed(content)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield "header_missing", {key: value for key, value in good.items() if key != name}
    yield "too_old", signed(content, at=NOW - timedelta(seconds=301))
    yield "too_new", signed(content, at=NOW + timedelta(seconds=301))
    yield "wrong_signature", signed(content, secret=STRANGER)
    yield "wrong_signature", signed(content + " ")
    yield "wrong_signature", signed(content, webhook_id="evt_2")
    yield "wrong_signature", signed(content, webhook_timestamp=str(int(NOW.timestamp()) + 1))
    yield "wrong_signature", signed(content, webhook_signature="v1,")
    yield "wrong_signature", signed(content, webhook_signature="v1,ä")
    yield "wrong_signature", signed(content, webhook_signature="v2" + good["webhook-signature"][2:])
    for unreadable in ("soon", "1e9", "-1", "1" * 40, "1764000000.5", " "):
        yield "header_unreadable", signed(content, webhook_timestamp=unreadable)
    yield "header_unreadable", signed(content, event="x" * 256)
    yield "header_unreadable", signed(content, webhook_id="a b")


@pytest.mark.parametrize(("reason", "headers"), list(refused()))
def test_what_is_not_the_sources_is_refused_without_a_reason(
    client: TestClient, workflows: Workflows, caplog: pytest.LogCaptureFixture, reason: str, headers: dict[str, str]
) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = client.post("/webhooks/fair", content=json.dumps(ROW), headers=encoded)
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "The signature, its time or its secret is not what we expect. Nothing was taken."
    }
    assert workflows.events == {}
    assert f"webhook fair: refused, {reason}, 1 times since the start" in caplog.text


def test_refusals_are_counted(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        post(client, "{}", signed("[]"))
    assert "wrong_signature, 3 times" in caplog.text


def test_strangers_are_not_told_what_is_wrong_with_a_body(client: TestClient) -> None:
    assert post(client, "{", signed("{", secret=STRANGER))[0] == 401
    assert post(client, "{", signed("{", secret=STRANGER, content_type="text/plain"))[0] == 401


@pytest.mark.parametrize("source", ["form", "nobody", "fair%00", "../fair", "Fair"])
def test_other_sources_are_not_there(client: TestClient, source: str) -> None:
    content = json.dumps(ROW)
    assert client.post(f"/webhooks/{source}", content=content, headers=signed(content)).status_code == 404


def test_an_event_that_comes_again_is_taken_once(client: TestClient, workflows: Workflows) -> None:
    content = json.dumps(ROW)
    later = signed(content, at=NOW + timedelta(seconds=60))
    assert [post(client, content, headers)[0] for headers in (signed(content), later)] == [200, 200]
    assert workflows.events == {"evt_1": [ROW]}


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/cloudevents+json"]
)
def test_kinds_of_json(client: TestClient, kind: str) -> None:
    content = json.dumps(ROW)
    assert post(client, content, signed(content, content_type=kind))[0] == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"content_type": "text/plain"},
        {"content_type": ""},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_encoding": "gzip"},
    ],
)
def test_other_kinds_are_refused_in_words(client: TestClient, workflows: Workflows, changed: dict[str, str]) -> None:
    content = json.dumps(ROW)
    headers = signed(content) | {name.replace("_", "-"): value for name, value in changed.items()}
    status, answer = post(client, content, headers)
    assert (status, workflows.events) == (415, {})
    assert answer["detail"].startswith("Send ")


def test_a_body_that_is_no_row_is_refused_in_words(client: TestClient, workflows: Workflows) -> None:
    status, answer = post(client, "7", signed("7"))
    assert (status, answer, workflows.events) == (
        400,
        {"detail": "Send a row as a JSON object, or a list of rows."},
        {},
    )


def test_the_largest_body_is_taken_and_one_byte_more_is_not(client: TestClient) -> None:
    largest = '{"a":"' + "x" * (MAX_BODY_IN_BYTES - 8) + '"}'
    assert post(client, largest, signed(largest))[0] == 200
    status, answer = post(client, largest + " ", signed(largest + " "))
    assert status == 413
    assert "larger than 1024 KB" in answer["detail"]


def test_a_body_of_unknown_length_is_cut_off_while_it_arrives(client: TestClient) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while taken < 64:
            taken += 1
            yield b"x" * MAX_BODY_IN_BYTES

    answer = client.post("/webhooks/fair", content=endless(), headers=signed("x"))
    assert answer.status_code == 413


def test_database_down_asks_for_another_try(
    client: TestClient, workflows: Workflows, caplog: pytest.LogCaptureFixture
) -> None:
    workflows.failure = OperationalError("INSERT", {"email": "mei@example.com"}, Exception("refused"))
    content = json.dumps(ROW)
    answer = client.post("/webhooks/fair", content=content, headers=signed(content))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "mei@example.com" not in caplog.text + answer.text
    workflows.failure = None
    assert post(client, content, signed(content))[0] == 200


def test_only_posts_are_taken(client: TestClient) -> None:
    assert client.get("/webhooks/fair").status_code == 405


def test_logs_hold_no_person_and_no_secret(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="enrollment_crm")
    content = json.dumps(ROW)
    post(client, content, signed(content))
    post(client, content, signed(content, secret=STRANGER))
    assert "webhook fair: 1 rows new, 0 known" in caplog.text
    for private in ("mei@example.com", SECRETS[0], "evt_1", "v1,"):
        assert private not in caplog.text
