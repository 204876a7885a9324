"""The tasks that DAG files wire together.

Each imports its work when it runs: parsing a DAG file must cost nothing, and the process that forks tasks has the
imports warm already (``plugin``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import get_current_context, task
from airflow.sdk.bases.decorator import DecoratedOperator, FParams, FReturn, Task, task_decorator_factory

Counts = dict[str, int]
#: Counts, and the freshness gate in words.
Summary = dict[str, int | str]
#: Under this key the instant of a sweep travels from task to task.
_NOW = "now"
#: Under this key what was compared travels: the plan, and the question for a person.
COMPARED = "compared"


class StepOperator(DecoratedOperator, PythonOperator):
    """A step that takes constants only: nothing of it is a template, so nothing is rendered, sent and stored."""

    template_fields = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {}
    custom_operator_name = "@step"

    def __init__(self, *, python_callable: Callable[..., Any], op_args: Any, op_kwargs: Any, **kwargs: Any) -> None:
        upstream = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        super().__init__(kwargs_to_upstream=upstream, **upstream, **kwargs)


def _step(work: Callable[FParams, FReturn]) -> Task[FParams, FReturn]:
    # One value comes of it: each of its counts by itself would be a request to Airflow by itself.
    return task_decorator_factory(multiple_outputs=False, decorated_operator_class=StepOperator)(work)


@_step
def collect(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Ask every source for its rows and keep them in the inbox."""
    from enrollment_crm.orchestration import intake

    return intake.collect(kind, params or {})


@_step
def validate(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Judge every pending row."""
    from enrollment_crm.orchestration import intake

    return intake.validate(kind, params or {})


@_step
def load(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Take what accepted rows say into the people's records."""
    from enrollment_crm.orchestration import intake

    return intake.load(kind, params or {})


@_step
def route(params: Mapping[str, Any] | None = None) -> Counts:
    """Decide routes."""
    from enrollment_crm.orchestration import intake

    return intake.route(params or {})


@_step
def answer(kind: str, params: Mapping[str, Any] | None = None) -> Counts:
    """Send the answers that are owed."""
    from enrollment_crm.orchestration import intake

    return intake.answer(kind, params or {})


@_step
def find_due_cells(params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Find what is due: one unit of work a mapped task. ``now``, beside them, is the instant that they share."""
    from enrollment_crm.orchestration import reminders

    now, due = reminders.find_due(params or {})
    get_current_context()["ti"].xcom_push(key=_NOW, value=now)
    return due


@task(map_index_template="{{ unit_name }}", multiple_outputs=False)
def send(due: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> Counts:
    """Send one unit of work; the grid shows its name."""
    from enrollment_crm.orchestration import reminders

    get_current_context()["unit_name"] = due["name"]  # type: ignore[typeddict-unknown-key]
    return reminders.send(due, params or {})


@task(trigger_rule="none_failed", multiple_outputs=False)
def summary(found: Sequence[Any], sent: Iterable[Counts], params: Mapping[str, Any] | None = None) -> Summary:
    """Add up what was sent and held, remember how far has been swept, and tell when the freshness gate moved."""
    from enrollment_crm.orchestration import reminders

    now = get_current_context()["ti"].xcom_pull(task_ids="find_due_cells", key=_NOW)
    return {"units": len(found), **reminders.summarise(now, sent or (), params or {})}


@_step
def read_pages(params: Mapping[str, Any] | None = None) -> str:
    """Read what the sources of every program's calendar say; the last try goes on without those that do not answer."""
    from enrollment_crm.orchestration import calendar_sync

    ti = get_current_context()["ti"]
    return calendar_sync.read(params or {}, is_last_try=ti.try_number > ti.max_tries)


@task(multiple_outputs=False)
def check_pages(readings: str) -> Counts:
    """Turn red where a page was not understood, at once and beside the rest."""
    from enrollment_crm.orchestration import calendar_sync

    return calendar_sync.check_understood(readings)


@task.short_circuit(ignore_downstream_trigger_rules=False, multiple_outputs=False)
def compare(readings: str, params: Mapping[str, Any] | None = None) -> bool:
    """Compare with the registry; skip the approval where there is nothing to approve."""
    from enrollment_crm.orchestration import calendar_sync

    compared = calendar_sync.compare(readings, params or {})
    get_current_context()["ti"].xcom_push(key=COMPARED, value=compared)
    return bool(compared["is_asked"])


@_step
def apply() -> Counts:
    """Make the changes that a person approved."""
    from enrollment_crm.orchestration import calendar_sync

    ti = get_current_context()["ti"]
    compared = ti.xcom_pull(task_ids="compare", key=COMPARED)
    return calendar_sync.apply(compared["plan"], ti.xcom_pull(task_ids="approve"), run_id=ti.run_id)


@_step
def sum_up_calendar() -> Counts:
    """Say what the run came to."""
    from enrollment_crm.orchestration import calendar_sync

    ti = get_current_context()["ti"]
    return calendar_sync.summarise(ti.xcom_pull(task_ids="compare", key=COMPARED), ti.xcom_pull(task_ids="apply"))


@_step
def read_mailbox(params: Mapping[str, Any] | None = None) -> Counts:
    """Take in what lies in the bounce mailbox, and file it."""
    from enrollment_crm.orchestration import feedback

    return feedback.read_mailbox(params or {})


@_step
def take_events(params: Mapping[str, Any] | None = None) -> Counts:
    """Take in the events of the mail provider."""
    from enrollment_crm.orchestration import feedback

    return feedback.take_events(params or {})


@_step
def reconcile(params: Mapping[str, Any] | None = None) -> Counts:
    """Find out about messages whose outcome nobody recorded."""
    from enrollment_crm.orchestration import feedback

    return feedback.reconcile(params or {})


@_step
def watch_complaints(params: Mapping[str, Any] | None = None) -> Counts:
    """Stop what is complained about too often, and tell operations of it and of receivers that refuse us."""
    from enrollment_crm.orchestration import feedback

    return feedback.watch_complaints(params or {})
