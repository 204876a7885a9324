"""What every DAG file must have, and what none may."""

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.dags.conftest import DAGS

#: The DAGs and their tasks, in the order in which they run. A DAG that is not listed here fails the tests.
LISTED = {
    "intake_signups": ["collect", "validate", "load", "route", "welcome"],  # the first one beside the others
    "intake_applications": ["collect", "validate", "load", "route", "acknowledge"],
    "send_reminders": ["find_due_cells", "send", "summary"],
    "process_feedback": ["read_mailbox", "take_events", "reconcile", "watch_complaints"],  # not one after the other
    "sync_calendar": ["read_pages", "check_pages", "compare", "approve", "apply", "summary"],
}
#: People wait for these, so an asset wakes them as well; the pages are read once a day, by the clock alone.
WOKEN = {"intake_signups": "inbox_signups", "intake_applications": "inbox_applications", "send_reminders": "leads"}
FILES = sorted(DAGS.glob("*.py"))
WIRING = (ast.If, ast.For, ast.While, ast.Try, ast.IfExp, ast.Lambda, ast.ListComp, ast.DictComp, ast.Match, ast.With)


def test_the_bag_holds_the_listed_dags_and_no_others(dag_bag: Any) -> None:
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == set(LISTED)


@pytest.mark.parametrize("dag_id", LISTED)
def test_tasks_run_in_the_documented_order(dag_bag: Any, dag_id: str) -> None:
    assert [task.task_id for task in dag_bag.dags[dag_id].topological_sort()] == LISTED[dag_id]


def test_nobody_who_filled_in_the_form_waits_for_a_file(dag_bag: Any) -> None:
    signups = dag_bag.dags["intake_signups"]
    assert not signups.get_task("collect").downstream_task_ids
    assert not signups.get_task("validate").upstream_task_ids


@pytest.mark.parametrize("dag_id", WOKEN)
def test_a_task_costs_one_value_and_no_rendering(dag_bag: Any, dag_id: str) -> None:
    for task in dag_bag.dags[dag_id].tasks:
        assert not task.multiple_outputs, f"{task.task_id} sends each of its counts by itself"
        if task.task_id not in ("send", "summary"):  # they take what other tasks return
            assert task.template_fields == ()


@pytest.mark.parametrize("dag_id", LISTED)
def test_the_runbook_says_what_ops_need(dag_bag: Any, dag_id: str) -> None:
    runbook = dag_bag.dags[dag_id].doc_md
    for part in ("**What it does.**", "**When it is red.**", "**Safe to clear?**"):
        assert part in runbook
    for task_id in LISTED[dag_id]:
        if task_id != "summary":  # it cannot fail by itself
            assert f"*{task_id}*" in runbook


@pytest.mark.parametrize("dag_id", LISTED)
def test_owner_tags_params_and_deadline(dag_bag: Any, dag_id: str) -> None:
    dag = dag_bag.dags[dag_id]
    assert dag.tags
    assert {task.owner for task in dag.tasks} == {"enrollment-operations"}
    assert set(dag.params) == {"dry_run", "as_of"}
    assert dag.deadline
    assert not dag.catchup


@pytest.mark.parametrize("dag_id", LISTED)
def test_failures_are_tried_again_by_their_type(dag_bag: Any, dag_id: str) -> None:
    from airflow.sdk import RetryAction

    from enrollment_crm.domain.calendar_plans import StalePlanError
    from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
    from enrollment_crm.sources.feed_errors import FeedRefusedError, FeedUnreachableError

    for task in dag_bag.dags[dag_id].tasks:
        assert task.retries == 3
        assert task.retry_delay == timedelta(seconds=5)
        for hopeless in (FeedRefusedError("401"), CampaignStoppedError("5.7.1"), StalePlanError()):
            assert task.retry_policy.evaluate(hopeless, 1, 3).action is RetryAction.FAIL
        for passing in (FeedUnreachableError("503"), RelayDownError(), OSError()):
            assert task.retry_policy.evaluate(passing, 1, 3).action is RetryAction.DEFAULT


def test_every_hopeless_exception_exists() -> None:
    from importlib import import_module

    from enrollment_crm.orchestration.policies import _HOPELESS

    for name in _HOPELESS:
        module, _, exception = name.rpartition(".")
        assert issubclass(getattr(import_module(module), exception), Exception)


def test_the_calendar_is_compared_every_morning_and_one_question_is_open_at_a_time(dag_bag: Any) -> None:
    dag = dag_bag.dags["sync_calendar"]
    assert type(dag.timetable).__name__ == "CronTriggerTimetable"
    assert (dag.timetable.expression, dag.max_active_runs) == ("30 6 * * *", 1)


def test_no_answer_is_a_rejection(dag_bag: Any) -> None:
    approve = dag_bag.dags["sync_calendar"].get_task("approve")
    assert (approve.defaults, approve.response_timeout) == (["Reject"], timedelta(days=3))


@pytest.mark.parametrize("dag_id", WOKEN)
def test_wakes_on_an_asset_and_by_the_clock(dag_bag: Any, dag_id: str) -> None:
    timetable = dag_bag.dags[dag_id].timetable
    assert type(timetable).__name__ == "AssetOrTimeSchedule"
    assert timetable.timetable.expression == "*/5 * * * *"
    names = {asset.name for asset in timetable.asset_condition.objects}
    assert names == {WOKEN[dag_id]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_dag_file_holds_wiring_only(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    decisions = [node for node in ast.walk(tree) if isinstance(node, WIRING)]
    assert not decisions, f"{file.name}:{decisions[0].lineno} decides something: move it to workflows/"
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    allowed = ("datetime", "airflow.sdk", "enrollment_crm.orchestration.")
    assert [one for one in modules if not one.startswith(allowed)] == []
    assert len(file.read_text("utf-8").splitlines()) <= 60


def test_parsing_a_dag_file_imports_nothing_heavy() -> None:
    program = (
        "import runpy, sys\n"
        f"[runpy.run_path(str(file)) for file in {[str(file) for file in FILES]!r}]\n"
        "heavy = {'great_expectations', 'pandas', 'mjml'} & set(sys.modules)\n"
        "sys.exit(f'imported at parse time: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.parametrize(("command", "warm"), [("scheduler", True), ("api-server", False)])
def test_great_expectations_is_warmed_where_tasks_are_forked(command: str, warm: bool) -> None:
    program = (
        f"import sys; sys.argv = ['airflow', {command!r}]\n"
        "import enrollment_crm.orchestration.plugin\n"
        f"sys.exit(('great_expectations' in sys.modules) is not {warm})\n"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0
