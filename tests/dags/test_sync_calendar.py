"""The whole DAG, run by Airflow: real pages over HTTP, the real database, and the answer through Airflow's API."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, text
from tests.unit.sources.saved_pages import NOW, html

from enrollment_crm.domain.programs import Program
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.sources.programs import read_programs
from enrollment_crm.stack.postgres import Cluster
from enrollment_crm.workflows.deadlines import load_calendar

PROGRAM_PAGE, EVENTS_PAGE = html("program-page"), html("events-page")
MOVED = PROGRAM_PAGE.replace("June&nbsp;1", "June 15")
PROGRAM = "ms-advanced-intelligent-manufacturing"
#: Of the pages' four sessions, the configuration knows three.
NEW_SESSION = "graduate-application-prep-sessions-10"
APPROVE, REJECT = "Approve", "Reject"


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


def serve(site: HTTPServer, *, program_page: str = PROGRAM_PAGE, events: str = EVENTS_PAGE) -> None:
    site.clear()
    site.expect_request("/program/").respond_with_data(program_page, content_type="text/html")
    site.expect_request("/events/").respond_with_data(events, content_type="text/html")


@pytest.fixture
def home(tmp_path: Path, site: HTTPServer, engine: Engine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline whose program names the pages of the test's own site, with its dates in force; the clock stands."""
    for folder in ("templates", "expectations"):
        (tmp_path / folder).symlink_to(CHECKOUT / folder)
    (tmp_path / "config" / "programs").mkdir(parents=True)
    for one in ("sources", "countries.yml", "country-zones.yml"):
        (tmp_path / "config" / one).symlink_to(CHECKOUT / "config" / one)
    file = f"config/programs/{PROGRAM}.yml"
    configured = yaml.safe_load((CHECKOUT / file).read_text("utf-8"))
    configured["calendar_sources"] |= {
        "program_page": site.url_for("/program/"),
        "events_pages": [site.url_for("/events/")],
    }
    (tmp_path / file).write_text(yaml.safe_dump(configured), "utf-8")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CRM_DATABASE_URL", cluster.url("crm"))
    monkeypatch.setenv("CRM_AS_OF", NOW.isoformat())
    load_calendar(engine, programs(tmp_path), now=NOW)
    return tmp_path


def programs(home: Path) -> Mapping[str, Program]:
    return read_programs(home / "config" / "programs")


@dataclass(frozen=True)
class Calendar:
    """What is in force."""

    dates: dict[str, tuple[str, str, str]]
    sessions: set[str]

    @classmethod
    def of(cls, engine: Engine) -> "Calendar":
        with engine.connect() as connection:
            dates = connection.execute(
                text(
                    "SELECT concat_ws(' ', entry_term, round, residency), stated_date::text, approved_by, reason "
                    "FROM deadline WHERE replaced_at IS NULL AND approved_at IS NOT NULL"
                )
            )
            sessions = connection.execute(text("SELECT id FROM prep_session WHERE cancelled_at IS NULL")).scalars()
            return cls({row[0]: (row[1], row[2], row[3]) for row in dates}, set(sessions))


Run = Callable[..., Any]


@pytest.fixture
def run(dag_bag: Any, airflow_database: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the DAG to its end; gives the run. A person answers, if it asks."""
    dag = dag_bag.dags["sync_calendar"]
    # `dag.test` looks its deadlines up in a database that knows none of a DAG that was not deployed.
    monkeypatch.setattr(dag, "deadline", None)

    def run_dag(answer: str | None = None, *, by: str = "dana", **options: Any) -> Any:
        answering = threading.Thread(target=respond, args=(answer, by), daemon=True)
        if answer:
            answering.start()
        dag_run = dag.test(**options)
        if answer:
            answering.join(timeout=10)
        return dag_run

    return run_dag


def respond(answer: str, by: str) -> None:
    """Answer the open question as a person signed in to Airflow does: through its API."""
    from airflow.api_fastapi.app import create_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi.testclient import TestClient

    app = create_app(apps="core")
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=by, role="admin")
    with TestClient(app) as client:
        for _ in range(60):
            asked = client.get("/api/v2/dags/~/dagRuns/~/hitlDetails", params={"response_received": False}).json()
            for one in asked["hitl_details"]:
                task = one["task_instance"]
                where = f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/approve/-1"
                done = client.patch(f"{where}/hitlDetails", json={"chosen_options": [answer], "params_input": {}})
                assert done.status_code == 200, done.text
                return
            time.sleep(0.5)


def states(dag_run: Any) -> dict[str, str]:
    return {one.task_id: str(one.state) for one in dag_run.get_task_instances()}


def test_an_approved_change_is_in_force(run: Run, site: HTTPServer, engine: Engine) -> None:
    before = Calendar.of(engine)
    serve(site, program_page=MOVED)
    dag_run = run(APPROVE)
    assert set(states(dag_run).values()) == {"success"}
    after = Calendar.of(engine)
    assert after.sessions - before.sessions == {NEW_SESSION}
    moved = "fall 2026 final international_outside_us"
    assert after.dates[moved][:2] == ("2026-06-15", "dana")
    assert "approved in Airflow" in after.dates[moved][2]
    assert {key for key in after.dates if after.dates[key] != before.dates[key]} >= {moved}


def test_a_rejected_change_changes_nothing(run: Run, site: HTTPServer, engine: Engine) -> None:
    before = Calendar.of(engine)
    serve(site, program_page=MOVED)
    dag_run = run(REJECT)
    assert states(dag_run)["apply"] == "skipped"
    assert states(dag_run)["summary"] == "success"
    assert Calendar.of(engine) == before


def test_a_page_that_is_not_understood_changes_nothing_and_is_red(run: Run, site: HTTPServer, engine: Engine) -> None:
    before = Calendar.of(engine)
    broken = "<html><body><h1>Maintenance</h1></body></html>"
    serve(site, program_page=broken, events=broken)
    dag_run = run()
    assert states(dag_run)["check_pages"] == "failed"
    assert states(dag_run)["approve"] == "skipped"
    assert Calendar.of(engine) == before
