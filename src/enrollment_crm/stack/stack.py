"""The whole pipeline on one machine: PostgreSQL, Airflow, the public app and a mailbox.

with Stack(Settings()) as stack:
    print(stack.facts.public_url)
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from enrollment_crm.bootstrap import clock_of, engine_of, programs_of
from enrollment_crm.mail.allowed_recipients import EVERY_DOMAIN
from enrollment_crm.settings import Settings
from enrollment_crm.stack import mailbox
from enrollment_crm.stack.airflow import ADMIN, Airflow, place_of
from enrollment_crm.stack.environment import variables_of
from enrollment_crm.stack.errors import NotForProduction
from enrollment_crm.stack.keeper import Change, State
from enrollment_crm.stack.keys import keys_of
from enrollment_crm.stack.launch import environment_for_children
from enrollment_crm.stack.lock import only_stack_of
from enrollment_crm.stack.ports import LOOPBACK, free_port, host_in_url, port_of
from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor, ignore_changes, new_stack_id
from enrollment_crm.stack.programs import Service, answers
from enrollment_crm.workflows.database import upgrade_database


@dataclass(frozen=True)
class Facts:
    """What a person, a demonstration or a test needs to know about a running stack."""

    airflow_url: str
    airflow_user: str
    airflow_password: str = field(repr=False)
    public_url: str
    database_url: str
    #: A Maildir; None: mail goes to the relay of the settings.
    mail_directory: Path | None
    #: Where other systems drop files, each source in a folder of its name.
    drop_directory: Path
    log_directory: Path
    state_directory: Path


class Stack:
    """A context manager: entering starts everything and returns when it is ready, leaving stops everything.

    Entering raises StackError, whose message says what to do.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        with_mailbox: bool | None = None,
        services: Sequence[Service] = (),
        on_change: Callable[[Change], None] = ignore_changes,
    ) -> None:
        """`services` start beside the mailbox; `with_mailbox` None: unless the settings name a relay."""
        if settings.environment == "production":
            raise NotForProduction(
                "`up` is for one developer's machine: its login keeps a password in a file. "
                "For production use docker-compose.yml (docs/how-to/run-in-production.md), or unset CRM_ENVIRONMENT."
            )
        relay_is_named = bool({"smtp_host", "smtp_port"} & settings.model_fields_set)
        self._with_mailbox = not relay_is_named if with_mailbox is None else with_mailbox
        self._asked = settings
        self._extra_services = services
        self._on_change = on_change
        self._running = ExitStack()

    def __enter__(self) -> Self:
        state_directory = self._asked.state_directory.resolve()
        stack_id = new_stack_id()
        with ExitStack() as starting:
            starting.enter_context(only_stack_of(state_directory, stack_id))
            self._plan(state_directory)
            self._supervisor = starting.enter_context(
                Supervisor(
                    log_directory=self.facts.log_directory,
                    environment=self.environment,
                    stack_id=stack_id,
                    on_change=self._on_change,
                )
            )
            self._start()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def processes(self) -> Mapping[str, int]:
        """Process ids by name of the service."""
        return self._supervisor.processes

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often each service died and was started again."""
        return self._supervisor.restarts

    @property
    def states(self) -> Mapping[str, State]:
        """Where each service stands."""
        return self._supervisor.states

    def restart(self, name: str) -> None:
        """Restart one service properly and wait until it is ready."""
        self._supervisor.restart(name)

    def wait_until_ready(self) -> None:
        """Wait until every service is ready again, for instance after one was killed."""
        self._supervisor.wait_until_ready()

    def check(self) -> None:
        """Raise ProgramFailed when a service has died too often to be started again."""
        self._supervisor.check()

    def _plan(self, state_directory: Path) -> None:
        """Decide ports and places; nothing runs yet."""
        self._cluster = Cluster(state_directory / "postgresql")
        public_port = port_of(
            self._asked.public_port,
            variable="CRM_PUBLIC_PORT",
            host=self._asked.public_host,
            host_variable="CRM_PUBLIC_HOST",
        )
        self._airflow = Airflow(
            place_of(
                state_directory=state_directory,
                dags_directory=self._asked.home_directory.resolve() / "dags",
                port=port_of(self._asked.airflow_port, variable="CRM_AIRFLOW_PORT"),
                database_url=self._cluster.url("airflow", driver="psycopg2"),
                async_database_url=self._cluster.url("airflow", driver="asyncpg"),
            ),
            keys_of(state_directory),
        )
        #: The settings with everything filled in, as the services have them.
        self.settings = self._filled_in(state_directory, public_port)
        #: The variables that make any command a command of this stack.
        self.environment = {
            **environment_for_children(),
            **variables_of(self.settings),
            **self._airflow.environment(),
        }
        self.facts = self._facts()

    def _filled_in(self, state_directory: Path, public_port: int) -> Settings:
        given = self._asked
        filled: dict[str, object] = {
            "state_directory": state_directory,
            "home_directory": given.home_directory.resolve(),
            "public_port": public_port,
        }
        if not given.database_url.get_secret_value():
            filled["database_url"] = SecretStr(self._cluster.url("crm"))
        if "public_url" not in given.model_fields_set:
            filled["public_url"] = f"http://{host_in_url(given.public_host)}:{public_port}"
        if self._with_mailbox:
            filled |= {
                "smtp_host": LOOPBACK,
                "smtp_port": free_port(),
                "smtp_username": "",
                "smtp_starttls": False,
                "smtp_implicit_tls": False,
                "transport": "smtp",
                "accept_log_file": None,
                # Our own mailbox delivers nothing: whoever is written to, no inbox is reached.
                "allowed_recipient_domains": EVERY_DOMAIN,
            }
            filled["accept_log_directory"] = state_directory / "mail"
        return given.model_copy(update=filled)

    def _facts(self) -> Facts:
        settings = self.settings
        return Facts(
            airflow_url=self._airflow.place.url,
            airflow_user=ADMIN,
            airflow_password=self._airflow.keys.admin_password,
            public_url=f"http://{host_in_url(settings.public_host)}:{settings.public_port}",
            database_url=settings.database_url.get_secret_value(),
            mail_directory=settings.accept_log_directory if self._with_mailbox else None,
            drop_directory=settings.drop_directory,
            log_directory=settings.state_directory / "logs",
            state_directory=settings.state_directory,
        )

    def _start(self) -> None:
        self.settings.drop_directory.mkdir(parents=True, exist_ok=True)
        start_cluster(self._cluster, self._supervisor, databases=("crm", "airflow"))
        self._supervisor.launch(*self._mailbox(), *self._extra_services)
        self._airflow.prepare()
        self._migrate()
        self._supervisor.launch(*self._airflow.services(), self._public_app())
        self._supervisor.wait_until_ready()

    def _migrate(self) -> None:
        """Both databases side by side; ours in this process, which has imported what it takes."""
        with ThreadPoolExecutor(max_workers=1) as beside:
            ours = beside.submit(self._upgrade_crm)
            if not self._airflow.is_migrated():
                self._supervisor.run(self._airflow.migration())
                self._airflow.note_migrated()
            ours.result()

    def _upgrade_crm(self) -> None:
        engine = engine_of(self.settings)
        upgrade_database(engine, programs_of(self.settings), now=clock_of(self.settings)())
        engine.dispose()

    def _mailbox(self) -> tuple[Service, ...]:
        if not self._with_mailbox or self.facts.mail_directory is None:
            return ()
        return (mailbox.service(self.settings.smtp_port, self.facts.mail_directory),)

    def _public_app(self) -> Service:
        settings = self.settings
        app = (
            *("enrollment_crm.web.public.app:create_app", "--factory", "--no-access-log", "--no-server-header"),
            *("--no-proxy-headers", "--http", "enrollment_crm.web.public.connections:PatientProtocol"),
        )
        place = ("--host", settings.public_host, "--port", str(settings.public_port))
        return Service(
            "public-app",
            [sys.executable, "-m", "uvicorn", *app, *place],
            is_ready=answers(f"{self.facts.public_url}/health/ready"),
        )
