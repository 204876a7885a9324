"""Every option of Airflow that this stack sets, and why. A test checks that the installed Airflow knows them.

Defaults are made for a cluster. Here one machine runs everything for one person: work starts quickly, and a
process that was killed is missed within half a minute, not five.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enrollment_crm.stack.keys import Keys

Options = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class AirflowPlace:
    """Where one Airflow keeps its things and how it is reached."""

    home: Path
    logs: Path
    dags_directory: Path
    port: int
    #: SQLAlchemy URLs; the first with psycopg2, the second with asyncpg.
    database_url: str
    async_database_url: str
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Of the web interface."""
        return f"http://{self.host}:{self.port}"

    @property
    def passwords_file(self) -> Path:
        """Read by Airflow's simple login."""
        return self.home / "passwords.json"

    @property
    def migrated_file(self) -> Path:
        """Says which Airflow has migrated which database."""
        return self.home / "migrated.txt"


def options(place: AirflowPlace, keys: Keys) -> Options:
    """The whole configuration: no airflow.cfg has a say beside it."""
    return {**_core(place, keys), **_services(place, keys), **_quick_work(), **_quick_recovery()}


def _core(place: AirflowPlace, keys: Keys) -> Options:
    return {
        ("core", "dags_folder"): str(place.dags_directory),
        ("core", "plugins_folder"): str(place.home / "plugins"),
        ("core", "load_examples"): "False",
        ("core", "dags_are_paused_at_creation"): "False",
        ("core", "executor"): "LocalExecutor",
        # Each is a process, forked and mostly shared; the default is 32. More than run at once: see
        # min_heartbeat_interval.
        ("core", "parallelism"): "8",
        # The scheduler imports the plugin, and with it Great Expectations, before it forks its workers.
        ("core", "lazy_load_plugins"): "False",
        ("core", "fernet_key"): keys.fernet_key,
        # The default asks the name service, which a laptop may not reach.
        ("core", "hostname_callable"): "socket.gethostname",
        ("database", "sql_alchemy_conn"): place.database_url,
        ("database", "sql_alchemy_conn_async"): place.async_database_url,
        # The stack has migrated before any service starts.
        ("database", "check_migrations"): "False",
        ("logging", "base_log_folder"): str(place.logs),
        ("logging", "dag_processor_child_process_log_directory"): str(place.logs / "dag_processor"),
        ("logging", "colored_console_log"): "False",
    }


def _services(place: AirflowPlace, keys: Keys) -> Options:
    simple = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
    return {
        ("api", "host"): place.host,
        ("api", "port"): str(place.port),
        ("api", "base_url"): place.url,
        ("api", "secret_key"): keys.session_secret,
        ("api", "instance_name"): "Enrollment CRM",
        ("api_auth", "jwt_secret"): keys.jwt_secret,
        ("core", "execution_api_server_url"): f"{place.url}/execution/",
        ("core", "auth_manager"): simple,
        ("core", "simple_auth_manager_users"): "admin:admin",
        ("core", "simple_auth_manager_passwords_file"): str(place.passwords_file),
    }


def _quick_work() -> Options:
    """From an event to a running task. DAG files change rarely: reading them keeps off the cores."""
    return {
        # Between two tasks of a run the scheduler sleeps half of this on average; each look costs it 20 ms of a core.
        ("scheduler", "scheduler_idle_sleep_time"): "0.05",
        ("dag_processor", "min_file_process_interval"): "60",
        # Must stay longer than the interval, or Airflow takes DAGs for gone.
        ("dag_processor", "stale_dag_threshold"): "180",
        ("dag_processor", "refresh_interval"): "10",
        ("dag_processor", "bundle_refresh_check_interval"): "1",
    }


def _quick_recovery() -> Options:
    """In seconds: how soon the death of a process is noticed and its work is given to another."""
    return {
        ("scheduler", "scheduler_heartbeat_sec"): "2",
        ("scheduler", "job_heartbeat_sec"): "2",
        ("scheduler", "scheduler_health_check_threshold"): "15",
        # Finds what a dead scheduler had queued or running.
        ("scheduler", "orphaned_tasks_check_interval"): "10",
        ("scheduler", "task_instance_heartbeat_timeout"): "30",
        ("scheduler", "task_instance_heartbeat_timeout_detection_interval"): "5",
        ("scheduler", "task_queued_timeout"): "60",
        ("scheduler", "task_queued_timeout_check_interval"): "10",
        ("triggerer", "job_heartbeat_sec"): "2",
        # After which a new triggerer takes over the watchers of the one that was killed.
        ("triggerer", "triggerer_health_check_threshold"): "10",
        # Also how long a worker goes on waiting for a task whose pipes close before it has exited, as those of half of
        # all tasks do: at 4, a few signups in a row kept every worker busy with tasks that were done.
        ("workers", "min_heartbeat_interval"): "1",
        # A task outlives an api-server that was killed: that is back within about ten seconds.
        ("workers", "max_failed_heartbeats"): "24",
        ("workers", "execution_api_retries"): "8",
        ("workers", "execution_api_retry_wait_max"): "5",
        ("core", "killed_task_cleanup_time"): "5",
    }
