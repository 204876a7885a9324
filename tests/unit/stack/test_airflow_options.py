"""The options against the Airflow that is installed: an option that it does not know would be ignored in silence."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from enrollment_crm.stack.airflow import Airflow, place_of
from enrollment_crm.stack.airflow_options import options
from enrollment_crm.stack.keys import Keys

PLACE = place_of(
    state_directory=Path("/state"),
    dags_directory=Path("/home/dags"),
    port=8081,
    database_url="postgresql+psycopg2://x",
    async_database_url="postgresql+asyncpg://x",
)
OPTIONS = options(PLACE, Keys())


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, object]]:
    """Airflow's own description of its options: sections, options, what they mean."""
    package = find_spec("airflow")
    assert package is not None
    assert package.origin is not None
    description = Path(package.origin).parent / "config_templates" / "config.yml"
    sections = yaml.safe_load(description.read_text(encoding="utf-8"))
    return {name: section["options"] for name, section in sections.items()}


@pytest.mark.parametrize(("section", "name"), sorted(OPTIONS))
def test_airflow_knows_the_option(known: dict[str, dict[str, object]], section: str, name: str) -> None:
    assert name in known[section]


def test_variables_carry_every_option() -> None:
    environment = Airflow(PLACE, Keys()).environment()
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://x"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8081/execution/"
    assert {name for name in environment if name.startswith("AIRFLOW__")} == {
        f"AIRFLOW__{section.upper()}__{name.upper()}" for section, name in OPTIONS
    }


def test_great_expectations_stays_silent() -> None:
    assert Airflow(PLACE, Keys()).environment()["GX_ANALYTICS_ENABLED"] == "false"


def seconds(section: str, name: str) -> float:
    return float(OPTIONS[section, name])


def test_dags_are_not_taken_for_gone_between_two_readings() -> None:
    interval = seconds("dag_processor", "min_file_process_interval")
    assert seconds("dag_processor", "stale_dag_threshold") >= 2 * interval


def test_a_task_is_not_taken_for_dead_while_it_may_still_try_to_call() -> None:
    interval, failures = seconds("workers", "min_heartbeat_interval"), seconds("workers", "max_failed_heartbeats")
    assert interval * failures < seconds("scheduler", "task_instance_heartbeat_timeout")


@pytest.mark.parametrize(
    ("heartbeat", "threshold"),
    [
        (("scheduler", "scheduler_heartbeat_sec"), ("scheduler", "scheduler_health_check_threshold")),
        (("triggerer", "job_heartbeat_sec"), ("triggerer", "triggerer_health_check_threshold")),
    ],
)
def test_several_missed_heartbeats_make_a_death(heartbeat: tuple[str, str], threshold: tuple[str, str]) -> None:
    assert seconds(*threshold) >= 4 * seconds(*heartbeat)


def test_password_is_where_airflow_looks_for_it(tmp_path: Path) -> None:
    keys = Keys()
    airflow = Airflow(
        place_of(state_directory=tmp_path, dags_directory=tmp_path, port=1, database_url="", async_database_url=""),
        keys,
    )
    airflow.prepare()
    passwords = Path(airflow.environment()["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert passwords.read_text() == f'{{"admin": "{keys.admin_password}"}}'
    assert passwords.stat().st_mode & 0o777 == 0o600
