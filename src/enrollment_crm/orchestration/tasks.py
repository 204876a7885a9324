"""The tasks that DAG files wire together.

Each imports its work when it runs: parsing a DAG file must cost nothing, and the process that forks tasks has the
imports warm already (``plugin``).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.sdk import get_current_context, task

Counts = dict[str, int]
#: Under this key the instant of a sweep travels from task to task.
_NOW = "now"
#: Under this key what was compared travels: the plan, and the question for a person.
COMPARED = "compared"


@task
def collect(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Ask every source for its rows and keep them in the inbox."""
    from enrollment_crm.orchestration import intake

    return intake.collect(kind, params or {})


@task
def validate(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Judge every pending row."""
    from enrollment_crm.orchestration import intake

    return intake.validate(kind, params or {})


@task
def load(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Take what accepted rows say into the people's records."""
    from enrollment_crm.orchestration import intake

    return intake.load(kind, params or {})


@task
def route(params: Mapping[str, Any] | None = None) -> Counts:
    """Decide routes."""
    from enrollment_crm.orchestration import intake

    return intake.route(params or {})


@task
def answer(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Send the answers that are owed."""
    from enrollment_crm.orchestration import intake

    return intake.answer(kind, params or {})


@task
def find_due_cells(params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Find what is due: one unit of work a mapped task. ``now``, beside them, is the instant that they share."""
    from enrollment_crm.orchestration import reminders

    now, due = reminders.find_due(params or {})
    get_current_context()["ti"].xcom_push(key=_NOW, value=now)
    return due


@task(map_index_template="{{ unit_name }}")
def send(due: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> Counts:
    """Send one unit of work; the grid shows its name."""
    from enrollment_crm.orchestration import reminders

    get_current_context()["unit_name"] = due["name"]  # type: ignore[typeddict-unknown-key]
    return reminders.send(due, params or {})


@task(trigger_rule="none_failed")
def summary(found: Sequence[Any], sent: Iterable[Counts], params: Mapping[str, Any] | None = None) -> Counts:
    """Add up what was sent, and remember how far has been swept."""
    from enrollment_crm.orchestration import reminders

    now = get_current_context()["ti"].xcom_pull(task_ids="find_due_cells", key=_NOW)
    return {"units": len(found)} | reminders.summarise(now, sent or (), params or {})


@task
def read_pages(params: Mapping[str, Any] | None = None) -> str:
    """Read what the sources of every program's calendar say; the last try goes on without those that do not answer."""
    from enrollment_crm.orchestration import calendar_sync

    ti = get_current_context()["ti"]
    return calendar_sync.read(params or {}, is_last_try=ti.try_number > ti.max_tries)


@task
def check_pages(readings: str) -> Counts:
    """Turn red where a page was not understood, at once and beside the rest."""
    from enrollment_crm.orchestration import calendar_sync

    return calendar_sync.check_understood(readings)


@task.short_circuit(ignore_downstream_trigger_rules=False)
def compare(readings: str, params: Mapping[str, Any] | None = None) -> bool:
    """Compare with the registry; skip the approval where there is nothing to approve."""
    from enrollment_crm.orchestration import calendar_sync

    compared = calendar_sync.compare(readings, params or {})
    get_current_context()["ti"].xcom_push(key=COMPARED, value=compared)
    return bool(compared["is_asked"])


@task
def apply() -> Counts:
    """Make the changes that a person approved."""
    from enrollment_crm.orchestration import calendar_sync

    ti = get_current_context()["ti"]
    compared = ti.xcom_pull(task_ids="compare", key=COMPARED)
    return calendar_sync.apply(compared["plan"], ti.xcom_pull(task_ids="approve"), run_id=ti.run_id)


@task(task_id="summary", trigger_rule="none_failed")
def sum_up_calendar() -> Counts:
    """Say what the run came to."""
    from enrollment_crm.orchestration import calendar_sync

    ti = get_current_context()["ti"]
    return calendar_sync.summarise(ti.xcom_pull(task_ids="compare", key=COMPARED), ti.xcom_pull(task_ids="apply"))
