"""Credentials that Airflow keeps: a pull within a real task, a password that is wrong, and what the logs say of it."""

import json
from base64 import b64encode
from collections.abc import Iterator

import psycopg
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import make_url
from tests.end_to_end.conftest import eventually
from typer.testing import CliRunner
from werkzeug import Request, Response

from enrollment_crm.cli import app
from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

DAG, SOURCE, CONNECTION = "intake_applications", "partner", "partner_slate"
QUERY = "/manage/query/run?id=5ad8a2c1"
USER, PASSWORD, WRONG = "service.user", "kanarienpasswort-4711", "kanarienpasswort-alt"
ROW = {
    "aid": "partner-1",
    "pid": "partner-p1",
    "Email": "con@example.edu",
    "FirstName": "Con",
    "YearTerm": "202810",
    "AppStatus": "Decided",
    "AppStatusDate": "2026-11-20T10:00:00-05:00",
}


class Administrator(AirflowClient):
    """Somebody who keeps connections, and looks at runs and tasks."""

    def keep(self, url: str, password: str) -> None:
        """Add the connection, or change it."""
        said = {
            "connection_id": CONNECTION,
            "conn_type": "http",
            "login": USER,
            "password": password,
            "extra": json.dumps({"address": url}),
        }
        known = [one["connection_id"] for one in self._ask("GET", "/connections?limit=100")["connections"]]
        if CONNECTION in known:
            self._ask("PATCH", f"/connections/{CONNECTION}", said)
        else:
            self._ask("POST", "/connections", said)

    def run(self) -> tuple[str, str]:
        """A run of the DAG, to its end: its id, and the state of ``collect``."""
        run_id = self.trigger(DAG)
        eventually(lambda: [one for one in self.runs(DAG) if one["dag_run_id"] == run_id and one["end_date"]])
        tasks = self._ask("GET", f"/dags/{DAG}/dagRuns/{run_id}/taskInstances")["task_instances"]
        (collect,) = [one for one in tasks if one["task_id"] == "collect"]
        return run_id, collect["state"]


@pytest.fixture
def slate(httpserver: HTTPServer) -> HTTPServer:
    """A query of a Slate that lets nobody in without user and password."""
    expected = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def answer(request: Request) -> Response:
        if request.headers.get("Authorization") != expected:
            return Response("no", 401, {"WWW-Authenticate": "Basic"})
        return Response(json.dumps({"row": [ROW]}), content_type="application/json")

    httpserver.expect_request("/manage/query/run").respond_with_handler(answer)
    return httpserver


@pytest.fixture
def administrator(stack: Stack) -> Iterator[Administrator]:
    """A source whose address and credentials are a connection of Airflow."""
    sources = stack.settings.home_directory / "config" / "sources"
    lines = (sources / "slate.yml").read_text("utf-8").splitlines()
    reference = f"{{connection: {CONNECTION}}}"
    changed = {"address": reference, "credentials": reference, "freshness_budget_in_hours": None}
    kept = [line for line in lines if line.partition(":")[0] not in changed]
    added = [f"address: {reference}", f"credentials: {reference}", "freshness: not_watched"]
    file = sources / f"{SOURCE}.yml"
    file.write_text("\n".join([*kept, *added]), "utf-8")
    administrator = Administrator(stack.facts)
    eventually(lambda: DAG in administrator.dags())
    yield administrator
    file.unlink()


def statuses(stack: Stack) -> list[str]:
    url = make_url(stack.facts.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    question = (
        "SELECT a.status FROM application a JOIN application_reference r ON r.application_id = a.id "
        "WHERE r.source = %s AND r.reference = %s"
    )
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(question, [SOURCE, ROW["aid"]])]


def logs_of(stack: Stack, run_id: str) -> str:
    files = [file for file in stack.facts.log_directory.rglob("*") if file.is_file()]
    of_run = [file for file in files if run_id in str(file) and "collect" in str(file)]
    assert of_run
    return "".join(file.read_text("utf-8") for file in of_run)


def test_a_pull_goes_by_the_connection_that_airflow_keeps(
    stack: Stack, administrator: Administrator, slate: HTTPServer
) -> None:
    url = slate.url_for(QUERY)
    run_id, state = administrator.run()
    assert state == "failed"
    assert f"There is no connection '{CONNECTION}'" in logs_of(stack, run_id)

    administrator.keep(url, WRONG)
    run_id, state = administrator.run()
    assert state == "failed"
    assert f"answers 401 (not logged in): check address and credentials in config/sources/{SOURCE}.yml" in logs_of(
        stack, run_id
    )
    assert statuses(stack) == []

    administrator.keep(url, PASSWORD)
    run_id, state = administrator.run()
    assert state == "success"
    assert eventually(lambda: statuses(stack)) == ["submitted"]

    secrets = [*secrets_in(PASSWORD), *secrets_in(WRONG)]
    files = [file for file in stack.facts.log_directory.rglob("*") if file.is_file()]
    assert len(files) > 10
    assert [file.name for file in files if any(secret.encode() in file.read_bytes() for secret in secrets)] == []


def secrets_in(password: str) -> tuple[str, str]:
    """The password, and how basic authentication sends it."""
    return password, b64encode(f"{USER}:{password}".encode()).decode()


@pytest.mark.parametrize(("password", "code", "words"), [(PASSWORD, 0, "1 row"), (WRONG, 1, "answers 401")])
def test_outside_of_airflow_it_is_tried_by_the_same_connection_of_the_environment(
    stack: Stack,
    administrator: Administrator,
    slate: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    password: str,
    code: int,
    words: str,
) -> None:
    said = {"conn_type": "http", "login": USER, "password": password, "extra": {"address": slate.url_for(QUERY)}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(said))
    monkeypatch.setenv("CRM_HOME_DIRECTORY", str(stack.settings.home_directory))
    result = CliRunner().invoke(app, ["sources", "check", "--source", SOURCE, "--json"])
    assert result.exit_code == code
    assert words in result.stdout
    assert not [secret for secret in secrets_in(password) if secret in result.output]
