"""What holds for every page: headers, health, errors in words, the log."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import Workflows

from enrollment_crm.web.public.pages import STATIC, asset
from enrollment_crm.web.public.site import build_site


@pytest.mark.parametrize("path", ["/request-info", "/health", "/nowhere", asset("public.css"), "/unsubscribe/bad"])
def test_every_answer_is_locked_down(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "set-cookie" not in headers


def test_crash_is_locked_down_and_told_in_words(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = RuntimeError("mei@example.com")
    answer = client.get("/request-info")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "mei@example.com" not in answer.text
    assert "content-security-policy" in answer.headers


def test_pages_are_not_cached_and_addressed_files_are(client: TestClient) -> None:
    assert client.get("/request-info").headers["cache-control"] == "no-store"
    assert "immutable" in client.get(asset("public.css")).headers["cache-control"]
    assert client.get("/static/public.css").headers["cache-control"] == "no-store"
    assert client.get("/static/nothing.css?v=1").headers["cache-control"] == "no-store"


def test_pages_need_no_other_host_and_no_inline_code(client: TestClient) -> None:
    shown = "".join(client.get(path).text for path in ("/request-info", "/unsubscribe/good", "/nowhere"))
    assert "http:" not in shown
    assert "<style" not in shown
    assert " style=" not in shown
    assert "onclick" not in shown
    assert "url(" not in (STATIC / "public.css").read_text()


def test_plain_http_gets_no_strict_transport(workflows: Workflows) -> None:
    site = build_site(replace(workflows.parts(), public_url="http://127.0.0.1:8000"))
    assert "strict-transport-security" not in TestClient(site).get("/health").headers


def test_health_needs_no_database(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = OperationalError("SELECT 1", {}, Exception("refused"))
    assert client.get("/health").json() == {"status": "alive"}


def test_ready_when_the_database_is(client: TestClient) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_not_ready_before_the_migrations(client: TestClient, workflows: Workflows) -> None:
    workflows.database_trouble = "Run `enrollment-crm db upgrade`."
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "problem": "Run `enrollment-crm db upgrade`."}


def test_not_ready_without_a_database(client: TestClient, workflows: Workflows) -> None:
    workflows.failure = OperationalError("SELECT 1", {}, Exception("password=hunter2"))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "CRM_DATABASE_URL" in answer.json()["problem"]
    assert "hunter2" not in answer.text


def test_unknown_pages_and_methods_are_told_in_words(client: TestClient) -> None:
    assert "There is no such page" in client.get("/nowhere").text
    answer = client.delete("/request-info")
    assert answer.status_code == 405
    assert "That cannot be done here" in answer.text
    assert "POST" in answer.headers["allow"] or "GET" in answer.headers["allow"]
    as_json = client.get("/nowhere", headers={"Accept": "application/json"})
    assert as_json.json() == {"detail": "The address may be mistyped, or the page has moved."}


def test_no_schema_is_published(client: TestClient) -> None:
    assert [client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]


def test_the_root_leads_to_the_form(client: TestClient) -> None:
    assert client.get("/").headers["location"] == "/request-info"


def test_log_names_the_route_and_no_token(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="enrollment_crm")
    client.get("/unsubscribe/good?who=mei")
    client.get("/health")
    client.get("/nowhere/mei")
    lines = [record.getMessage().rsplit(" ", 2)[0] for record in caplog.records]
    assert lines == ["GET /unsubscribe/{token} 200", "GET (no route) 404"]
