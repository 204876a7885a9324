"""The public site over the real workflows and a real database."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from starlette.testclient import TestClient
from tests.integration.conftest import TEN_IN_BOSTON, Inbox, Pipeline

from enrollment_crm.bootstrap import programs_of
from enrollment_crm.settings import Settings
from enrollment_crm.stack.postgres import Cluster
from enrollment_crm.web.public.app import parts_of
from enrollment_crm.web.public.site import build_site
from enrollment_crm.workflows.deadlines import load_calendar

ANA = {
    "first_name": "Ana",
    "last_name": "Silva",
    "email": "ana@example.edu",
    "residency": "international_outside_us",
    "entry_term": "fall 2027",
    "country": "BR",
    "time_zone": "America/Sao_Paulo",
    "program": "ms-advanced-intelligent-manufacturing",
    "consent": "yes",
    "consent_text_version": "request-info-1",
    "submission": "ana-1",
}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
INBOX = text("SELECT raw FROM inbox ORDER BY id")


def client_for(settings: Settings) -> TestClient:
    """A client of the site that these settings make."""
    return TestClient(build_site(parts_of(settings)), follow_redirects=False)


@pytest.fixture
def settings_of_site(settings: Settings, cluster: Cluster) -> Settings:
    """The settings of the test's pipeline, with the database and the instant of the test."""
    return settings.model_copy(update={"database_url": SecretStr(cluster.url("crm")), "as_of": TEN_IN_BOSTON})


@pytest.fixture
def site(settings_of_site: Settings, engine: Engine) -> TestClient:
    """The site over the emptied database."""
    return client_for(settings_of_site)


def rows_of(engine: Engine) -> list[dict[str, str]]:
    """The raw rows that the inbox holds."""
    with engine.connect() as connection:
        return list(connection.execute(INBOX).scalars())


def test_post_is_in_the_inbox_before_the_thank_you(site: TestClient, engine: Engine) -> None:
    assert site.post("/request-info", data=ANA).status_code == 303
    assert rows_of(engine) == [ANA]


def test_double_click_is_one_row_and_a_correction_another(site: TestClient, engine: Engine) -> None:
    corrected = {**ANA, "email": "ana.silva@example.edu"}
    for answers in (ANA, ANA, corrected, ANA):
        assert site.post("/request-info", data=answers).status_code == 303
    assert rows_of(engine) == [ANA, corrected]


def test_hostile_text_is_stored(site: TestClient, engine: Engine) -> None:
    hostile = {**ANA, "last_name": "\x00'); DROP TABLE inbox;--\ud800\U0001f393\u202e", "x" * 9000: "y"}
    answer = site.post("/request-info", content=json.dumps(hostile), headers=JSON)
    assert answer.status_code == 202
    (row,) = rows_of(engine)
    assert row["last_name"] == "\ufffd'); DROP TABLE inbox;--\ufffd\U0001f393\u202e"


def test_page_offers_terms_and_sessions_still_ahead(site: TestClient, engine: Engine) -> None:
    programs = programs_of(Settings())
    program = programs[ANA["program"]]
    session = program.prep_sessions[0]
    over = replace(session, id="over", starts=TEN_IN_BOSTON - timedelta(minutes=1))
    ahead = replace(session, id="ahead", starts=TEN_IN_BOSTON + timedelta(days=10))
    load_calendar(engine, {program.key: replace(program, prep_sessions=(over, ahead))}, now=TEN_IN_BOSTON)

    page = site.get("/request-info").text
    assert f"<h1>{program.name}</h1>" in page
    offered = re.findall(r'<option value="([^"]+)">([^<]+)</option>', page)
    terms = [value for value, _ in offered if value.startswith(("fall", "spring"))]
    assert "fall 2027" in terms
    assert "fall 2026" not in terms
    assert [label for value, label in offered if value in ("over", "ahead")] == [
        "Graduate Application Prep Session, Friday, December 4, 10:00 a.m. Boston"
    ]


def test_link_of_the_email_stops_the_emails(site: TestClient, pipeline: Pipeline, inbox: Inbox) -> None:
    site.post("/request-info", data=ANA)
    pipeline.take_in(now=TEN_IN_BOSTON)
    (welcome,) = inbox.messages()
    address = str(welcome["List-Unsubscribe"]).strip("<>")
    path = "/" + address.split("/", 3)[3]

    assert site.get(path).status_code == 200
    assert withdrawals_of(pipeline.engine) == 0
    for _ in range(2):
        assert site.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert withdrawals_of(pipeline.engine) == 1
    assert site.post(path[:-1] + ("0" if path[-1] != "0" else "1")).status_code == 404


def withdrawals_of(engine: Engine) -> int:
    """How many withdrawals of consent are recorded."""
    with engine.connect() as connection:
        return len(connection.execute(text("SELECT * FROM unsubscription")).all())


def test_ready_only_with_the_schema_of_this_code(site: TestClient, engine: Engine) -> None:
    assert site.get("/health/ready").json() == {"status": "ready"}
    with engine.begin() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        answer = site.get("/health/ready")
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    assert answer.status_code == 503
    assert "enrollment-crm db upgrade" in answer.json()["problem"]


def test_without_a_database_nobody_is_thanked(settings_of_site: Settings) -> None:
    nowhere = SecretStr("postgresql+psycopg://crm@/crm?host=/nonexistent")
    site = client_for(settings_of_site.model_copy(update={"database_url": nowhere}))
    assert site.get("/health").status_code == 200
    assert site.get("/health/ready").status_code == 503
    answer = site.post("/request-info", data=ANA)
    assert answer.status_code == 503
    assert "nothing was lost on your side" in answer.text
    assert 'value="ana@example.edu"' in answer.text
