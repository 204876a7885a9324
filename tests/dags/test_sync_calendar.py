"""The whole DAG, run by Airflow: pages over HTTP, the real database, and the answer given through Airflow's API."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, text
from tests.unit.sources.saved_pages import NOW, html

from enrollment_crm.domain.calendar_sync import CalendarUnreadError
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.sources.feed_errors import FeedUnreachableError
from enrollment_crm.sources.programs import read_programs
from enrollment_crm.stack.postgres import Cluster
from enrollment_crm.workflows.deadlines import load_calendar

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

PROGRAM_PAGE, EVENTS_PAGE = html("program-page"), html("events-page")
MOVED = PROGRAM_PAGE.replace("June&nbsp;1", "June 15")
UNREADABLE_DATES = PROGRAM_PAGE.replace("June&nbsp;1", "Rolling")
PROGRAM = "ms-advanced-intelligent-manufacturing"
#: Of the pages' four sessions, the configuration knows three.
NEW_SESSION = "graduate-application-prep-sessions-10"
OUTSIDE_US = [f"fall {year} final international_outside_us" for year in (2026, 2027, 2028)]
ALL = ("read_pages", "check_pages", "compare", "approve", "apply", "summary")
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


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
    for shared in ("templates", "expectations"):
        (tmp_path / shared).symlink_to(CHECKOUT / shared)
    folder = tmp_path / "config" / "programs"
    folder.mkdir(parents=True)
    for shared in ("sources", "countries.yml", "country-zones.yml"):
        (tmp_path / "config" / shared).symlink_to(CHECKOUT / "config" / shared)
    configured = yaml.safe_load((CHECKOUT / "config" / "programs" / f"{PROGRAM}.yml").read_text("utf-8"))
    sources = {"program_page": site.url_for("/program/"), "events_pages": [site.url_for("/events/")]}
    configured["calendar_sources"] |= sources
    (folder / f"{PROGRAM}.yml").write_text(yaml.safe_dump(configured), "utf-8")
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CRM_DATABASE_URL", cluster.url("crm"))
    monkeypatch.setenv("CRM_AS_OF", NOW.isoformat())
    load_calendar(engine, read_programs(folder), now=LONG_AGO)
    with engine.begin() as connection:
        events = {"events": site.url_for("/events/")}
        connection.execute(text("UPDATE prep_session SET url = :events || id || '/'"), events)
    return tmp_path


def query(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement)))


def calendar(engine: Engine) -> tuple[list[Any], list[Any]]:
    """Everything that is or was in force, and every session."""
    return query(engine, "SELECT * FROM deadline ORDER BY id"), query(engine, "SELECT * FROM prep_session ORDER BY id")


def in_force(engine: Engine) -> dict[str, tuple[date, str, str, str]]:
    rows = query(
        engine,
        "SELECT concat_ws(' ', entry_term, round, residency), stated_date, approved_by, reason, source FROM deadline "
        "WHERE replaced_at IS NULL AND approved_at IS NOT NULL",
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


class Airflow:
    """Runs the DAG to its end, with somebody at the API who answers when it asks."""

    def __init__(self, dag: Any, api: "TestClient") -> None:
        self._dag, self._api = dag, api

    def run(self, answer: Callable[[str], None] | None = None, **options: Any) -> Any:
        """The run at its end. Without an answer it must ask nobody."""
        asked: list[str] = []
        person = threading.Thread(target=self._attend, args=(answer, asked, over := threading.Event()))
        person.start()
        try:
            dag_run = self._dag.test(**options)
        finally:
            over.set()
            person.join()
        assert len(asked) == (answer is not None)
        return dag_run

    def _attend(self, answer: Callable[[str], None] | None, asked: list[str], over: threading.Event) -> None:
        while not over.is_set():
            open_ones = self._api.get(
                "/api/v2/dags/~/dagRuns/~/hitlDetails", params={"response_received": False, "state": "awaiting_input"}
            ).json()
            for one in open_ones["hitl_details"]:
                task = one["task_instance"]
                where = f"/api/v2/dags/sync_calendar/dagRuns/{task['dag_run_id']}/taskInstances/approve/-1/hitlDetails"
                asked.append(one["body"])
                (answer or self.reject)(where)
            time.sleep(0.2)

    def approve(self, where: str) -> None:
        self._say("Approve", where)

    def reject(self, where: str) -> None:
        self._say("Reject", where)

    def _say(self, option: str, where: str) -> None:
        done = self._api.patch(where, json={"chosen_options": [option], "params_input": {}})
        assert done.status_code == 200, done.text


@pytest.fixture
def airflow(dag_bag: Any, airflow_api: "TestClient", home: Path, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    dag = dag_bag.dags["sync_calendar"]
    # Airflow 3.3 looks the alert up by an id that only a scheduler's database has: dag.test() breaks on any.
    monkeypatch.setattr(dag, "deadline", None)
    return Airflow(dag, airflow_api)


def states(dag_run: Any) -> dict[str, str]:
    return {one.task_id: str(one.state) for one in dag_run.get_task_instances()}


def ended(**others: str) -> dict[str, str]:
    """The states of a run in which everything else went well."""
    return dict.fromkeys(ALL, "success") | others


def test_what_a_person_approves_is_in_force_and_then_nothing_differs(
    airflow: Airflow, site: HTTPServer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    before = in_force(engine)
    serve(site, program_page=MOVED)
    dag_run = airflow.run(airflow.approve)
    assert states(dag_run) == ended()

    after = in_force(engine)
    assert {group for group in after if after[group][0] != before[group][0]} == set(OUTSIDE_US)
    why = f"approved in Airflow: sync_calendar {dag_run.run_id}"
    assert after[OUTSIDE_US[0]] == (date(2026, 6, 15), "dana", why, site.url_for("/program/"))
    ((by, reason, changes),) = query(engine, "SELECT applied_by, reason, changes FROM calendar_change")
    assert (by, reason, len(changes)) == ("dana", why, 4)
    added = query(engine, f"SELECT title, sequence, source FROM prep_session WHERE id = '{NEW_SESSION}'")
    places = f"{site.url_for('/program/')}, {site.url_for('/events/')}"
    assert added == [("Graduate Application Prep Sessions", 0, places)]
    assert "Approved: 4 changes were made." in caplog.text

    again = calendar(engine)
    assert states(airflow.run()) == ended(approve="skipped", apply="skipped")
    assert calendar(engine) == again
    assert "Nothing differs" in caplog.text


def test_a_person_who_rejects_changes_nothing(
    airflow: Airflow, site: HTTPServer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    before = calendar(engine)
    serve(site, program_page=MOVED)
    assert states(airflow.run(airflow.reject)) == ended(apply="skipped")
    assert calendar(engine) == before
    assert "Not approved (rejected, or not answered in time): nothing was changed." in caplog.text


@pytest.mark.slow
def test_no_answer_is_a_no(
    airflow: Airflow, site: HTTPServer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def three_days_pass(where: str) -> None:
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session

        with create_session() as session:
            waiting = session.query(TaskInstance).filter_by(task_id="approve", state="awaiting_input").one()
            waiting.trigger_timeout = LONG_AGO
        SchedulerJobRunner(job=Job()).check_awaiting_input_timeouts()  # type: ignore[no-untyped-call]

    before = calendar(engine)
    serve(site, program_page=MOVED)
    assert states(airflow.run(three_days_pass)) == ended(apply="skipped")
    assert calendar(engine) == before
    assert "Not approved (rejected, or not answered in time): nothing was changed." in caplog.text


def test_an_approval_that_was_marked_and_not_given_changes_nothing(
    airflow: Airflow, site: HTTPServer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    before = calendar(engine)
    serve(site, program_page=MOVED)
    dag_run = airflow.run(mark_success_pattern="approve")
    assert states(dag_run) == ended(apply="failed", summary="upstream_failed")
    assert calendar(engine) == before
    assert "sync_calendar.apply has failed: NotApprovedError." in caplog.text


@pytest.mark.slow
def test_a_calendar_that_changed_while_the_person_decided_is_not_changed(
    airflow: Airflow, site: HTTPServer, engine: Engine
) -> None:
    def somebody_is_faster(where: str) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE prep_session SET minutes = 90 WHERE id LIKE '%-9'"))
        airflow.approve(where)

    before = in_force(engine)
    serve(site, program_page=MOVED)
    dag_run = airflow.run(somebody_is_faster)
    assert states(dag_run) == ended(apply="failed", summary="upstream_failed")
    assert in_force(engine) == before


def test_a_page_that_is_not_understood_turns_red_and_the_rest_goes_on(
    airflow: Airflow, site: HTTPServer, engine: Engine
) -> None:
    before = in_force(engine)
    serve(site, program_page=UNREADABLE_DATES)
    dag_run = airflow.run(airflow.approve)
    assert states(dag_run) == ended(check_pages="failed")
    assert dag_run.state == "failed"
    assert in_force(engine) == before
    assert query(engine, f"SELECT count(*) FROM prep_session WHERE id = '{NEW_SESSION}'") == [(1,)]


def test_pages_that_say_nothing_change_nothing(airflow: Airflow, site: HTTPServer, engine: Engine) -> None:
    before = calendar(engine)
    serve(site, program_page="<html><title>Sign in</title></html>", events="<html><body>Soon</body></html>")
    dag_run = airflow.run()
    assert states(dag_run) == ended(check_pages="failed", approve="skipped", apply="skipped")
    assert calendar(engine) == before


def test_a_dry_run_asks_nobody_and_keeps_nothing(
    airflow: Airflow, site: HTTPServer, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    before = calendar(engine)
    doubtful = [page.replace("Dec</span>", "Sep</span>") for page in (MOVED, EVENTS_PAGE)]
    serve(site, program_page=doubtful[0], events=doubtful[1])
    assert states(airflow.run(run_conf={"dry_run": True})) == ended(approve="skipped", apply="skipped")
    assert calendar(engine) == before
    assert query(engine, "SELECT * FROM calendar_review") == []
    assert "A dry run: nobody was asked" in caplog.text


@pytest.mark.slow
def test_a_page_that_does_not_answer_is_asked_again_until_the_last_try(home: Path, site: HTTPServer) -> None:
    from enrollment_crm.orchestration import calendar_sync

    site.expect_request("/program/").respond_with_data("", 503)
    site.expect_request("/events/").respond_with_data(EVENTS_PAGE, content_type="text/html")
    params = {"dry_run": False, "as_of": None}
    with pytest.raises(FeedUnreachableError, match="/program/ answers 503"):
        calendar_sync.read(params, is_last_try=False)
    readings = calendar_sync.read(params, is_last_try=True)
    with pytest.raises(CalendarUnreadError, match=r"deadlines: .*/program/ answers 503"):
        calendar_sync.check_understood(readings)
    assert calendar_sync.compare(readings, params)["counts"]["sessions"] == 1
