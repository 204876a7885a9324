"""The tasks that DAG files wire together.

Each imports its work when it runs: parsing a DAG file must cost nothing, and the process that forks tasks has the
imports warm already (``plugin``).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.sdk import get_current_context, task

Counts = dict[str, int]
#: Counts, and the freshness gate in words.
Summary = dict[str, int | str]
#: Under this key the instant of a sweep travels from task to task.
_NOW = "now"


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
def summary(found: Sequence[Any], sent: Iterable[Counts], params: Mapping[str, Any] | None = None) -> Summary:
    """Add up what was sent and held, remember how far has been swept, and tell when the freshness gate moved."""
    from enrollment_crm.orchestration import reminders

    now = get_current_context()["ti"].xcom_pull(task_ids="find_due_cells", key=_NOW)
    return {"units": len(found), **reminders.summarise(now, sent or (), params or {})}
