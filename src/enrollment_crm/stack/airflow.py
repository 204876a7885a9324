"""Airflow's services on one machine: their commands, and when each of them does its work."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from enrollment_crm.stack.airflow_options import AirflowPlace, options
from enrollment_crm.stack.keys import Keys, write_for_owner
from enrollment_crm.stack.programs import Service, Step, fetch

ADMIN = "admin"


@dataclass(frozen=True)
class Airflow:
    """One Airflow: api-server, scheduler with its workers, dag-processor and triggerer."""

    place: AirflowPlace
    keys: Keys

    def environment(self) -> Mapping[str, str]:
        """The variables that every process of Airflow and every task gets."""
        configured = {
            f"AIRFLOW__{section.upper()}__{name.upper()}": value
            for (section, name), value in options(self.place, self.keys).items()
        }
        return {"AIRFLOW_HOME": str(self.place.home), "GX_ANALYTICS_ENABLED": "false", **configured}

    def prepare(self) -> None:
        """Write the one user's password to where Airflow's simple login looks for it."""
        self.place.home.mkdir(parents=True, exist_ok=True)
        write_for_owner(self.place.passwords_file, json.dumps({ADMIN: self.keys.admin_password}))

    def migration(self) -> Step:
        """Brings Airflow's database to its newest tables: half a minute when new."""
        return Step("airflow db migrate", _command("db", "migrate"), self.environment())

    def is_migrated(self) -> bool:
        """Whether this version of Airflow has migrated this database before: asking itself takes seconds."""
        return self.place.migrated_file.exists() and self._fingerprint() == self.place.migrated_file.read_text()

    def note_migrated(self) -> None:
        """Remember the migration for `is_migrated`."""
        self.place.migrated_file.write_text(self._fingerprint())

    def services(self) -> tuple[Service, ...]:
        """The services, to be started together."""
        api_server = ("api-server", "--host", self.place.host, "--port", str(self.place.port))
        return (
            self._service("api-server", _command(*api_server), self._api_is_ready),
            # The logs are on this machine: nobody has to serve them over the network.
            self._service("scheduler", _command("scheduler", "--skip-serve-logs"), self._beats("scheduler")),
            self._service("dag-processor", _command("dag-processor"), self._beats("dag_processor")),
            self._service("triggerer", _command("triggerer", "--skip-serve-logs"), self._beats("triggerer")),
        )

    def _service(self, name: str, command: list[str], is_ready: Callable[[float], bool]) -> Service:
        return Service(name, command, is_ready, environment=self.environment(), working_directory=self.place.home)

    def _health(self) -> dict[str, dict[str, str | None]]:
        try:
            health: dict[str, dict[str, str | None]] = json.loads(fetch(f"{self.place.url}/api/v2/monitor/health"))
        except ValueError as error:
            raise OSError(f"{self.place.url} does not answer in JSON: {error}") from error
        return health

    def _api_is_ready(self, _started_at: float) -> bool:
        healthy = self._health()["metadatabase"]["status"] == "healthy"
        # The API of the tasks is put together at its first request, which takes seconds: not a task's, but this one.
        fetch(f"{self.place.url}/execution/health", timeout_in_seconds=30)
        return healthy

    def _beats(self, component: str) -> Callable[[float], bool]:
        """Ready: has given a sign of life since its start. One from before is its predecessor's."""

        def is_ready(started_at: float) -> bool:
            beat = self._health()[component][f"latest_{component}_heartbeat"]
            return beat is not None and datetime.fromisoformat(beat).timestamp() > started_at

        return is_ready

    def _fingerprint(self) -> str:
        """Airflow's version and the revision that the database is at."""
        engine = create_engine(self.place.database_url)
        try:
            with engine.connect() as connection:
                revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except ProgrammingError:
            revision = None
        finally:
            engine.dispose()
        return f"apache-airflow {version('apache-airflow')}, revision {revision}"


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *words]


def place_of(
    *, state_directory: Path, dags_directory: Path, port: int, database_url: str, async_database_url: str
) -> AirflowPlace:
    """Where the Airflow of a state directory lives."""
    return AirflowPlace(
        home=state_directory / "airflow",
        logs=state_directory / "logs" / "airflow",
        dags_directory=dags_directory,
        port=port,
        database_url=database_url,
        async_database_url=async_database_url,
    )
