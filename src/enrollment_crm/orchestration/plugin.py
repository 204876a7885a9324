"""The plugin: warms the process that forks tasks, so that a task does not pay for imports again.

LocalExecutor forks its workers from the scheduler, and Celery's workers are forked from their parent. With
``[core] lazy_load_plugins = False`` this module is imported there, once.
"""

import gc
import logging
import sys

from airflow.plugins_manager import AirflowPlugin

#: Commands of Airflow whose process forks tasks.
_FORKING_COMMANDS = ("scheduler", "celery")


class EnrollmentCrmPlugin(AirflowPlugin):
    """Announces the package to Airflow."""

    name = "enrollment_crm"


def _forks_tasks(arguments: list[str]) -> bool:
    return any(command in arguments[1:3] for command in _FORKING_COMMANDS)


def _warm_up() -> None:
    _warm_airflow()
    import enrollment_crm.orchestration.assets
    import enrollment_crm.orchestration.calendar_sync
    import enrollment_crm.orchestration.intake
    import enrollment_crm.orchestration.policies
    import enrollment_crm.orchestration.reminders
    import enrollment_crm.orchestration.run_parameters
    import enrollment_crm.orchestration.tasks  # noqa: F401
    from enrollment_crm.bootstrap import warm_up
    from enrollment_crm.settings import Settings

    try:
        warm_up(Settings())
    except Exception:
        # A mistake in the configuration turns the task red that needs it, with a sentence; the scheduler goes on.
        logging.getLogger(__name__).exception("The warm-up failed: tasks will say why, and start slowly until then.")
    # What is here now stays: a child's garbage collector does not touch it, so its memory is not copied.
    gc.collect()
    gc.freeze()


def _warm_airflow() -> None:
    """What every task would import and build of Airflow itself, by itself: about 25 ms."""
    import airflow.dag_processing.bundles.local
    import airflow.sdk.definitions.asset.metadata
    import airflow.sdk.execution_time.task_runner
    import airflow.version  # noqa: F401
    import jinja2.ext  # noqa: F401
    from airflow.sdk.listener import get_listener_manager

    get_listener_manager()


if _forks_tasks(sys.argv):
    _warm_up()
