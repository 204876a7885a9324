"""The database of a command: the one of the settings, the one of a running stack, or one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from enrollment_crm.bootstrap import clock_of, engine_of, programs_of
from enrollment_crm.settings import Settings
from enrollment_crm.stack.lock import only_stack_of
from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor, new_stack_id
from enrollment_crm.storage.engine import connect
from enrollment_crm.workflows.database import upgrade_database


@contextmanager
def crm_database(settings: Settings, *, upgrade: bool = True) -> Iterator[Engine]:
    """An engine for the length of a command.

    Without ``CRM_DATABASE_URL`` it is the PostgreSQL of `enrollment-crm up`, started and brought up to date for this
    command where it is not running; `upgrade=False` leaves bringing it up to date to the command.
    """
    if settings.database_url.get_secret_value():
        yield engine_of(settings)
        return
    cluster = Cluster(settings.state_directory.resolve() / "postgresql")
    if cluster.is_running:
        yield connect(cluster.url("crm"))
        return
    with _started(cluster, settings):
        engine = connect(cluster.url("crm"))
        if upgrade:
            upgrade_database(engine, programs_of(settings), now=clock_of(settings)())
        yield engine
        engine.dispose()


@contextmanager
def _started(cluster: Cluster, settings: Settings) -> Iterator[None]:
    state_directory, stack_id = settings.state_directory.resolve(), new_stack_id()
    with (
        only_stack_of(state_directory, stack_id),
        Supervisor(log_directory=state_directory / "logs", stack_id=stack_id) as supervisor,
    ):
        start_cluster(cluster, supervisor, databases=("crm",))
        yield
