"""
# The calendar follows the pages, once a person has approved

**What it does.** Reads the program pages, events pages and feeds that `config/programs/` names as `calendar_sources`,
and compares them with the dates and prep sessions in force. Where they differ it plans the change, counts whom it
concerns, and waits up to three days for your answer under *Required Actions*. No answer is a no, and a no changes
nothing. A session that is listed no more is not thereby cancelled. While a run waits, no other begins.

**When it is red.** Open the red task's log; its last line says what to do.
*read_pages*: usually the database; a page that does not answer is tried again, then left out.
*check_pages*: a page was not understood: the log names the page, what was looked for and what to do. Nothing of that
part was changed; what was understood goes on.
*compare*: usually the database. *approve*: see Airflow's own message.
*apply*: the calendar changed while you decided: clear from *read_pages* on. Or the approval was marked as a success
and not answered: clear *approve*, and answer it.

**Safe to clear?** Yes, every task, at any time: a plan is applied once, and only to the calendar it was made for.
What no program can decide is in the table `calendar_review`: `enrollment-crm calendar reviews`.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, chain, dag

from enrollment_crm.orchestration.approvals import calendar_approval
from enrollment_crm.orchestration.policies import TASK_DEFAULTS, late_after
from enrollment_crm.orchestration.run_parameters import PARAMETERS
from enrollment_crm.orchestration.tasks import apply, check_pages, compare, read_pages, sum_up_calendar


@dag(
    schedule=CronTriggerTimetable("30 6 * * *", timezone="America/New_York"),
    doc_md=__doc__,
    tags=["calendar"],
    params=PARAMETERS,
    default_args=TASK_DEFAULTS,
    deadline=late_after(timedelta(days=1)),
    max_active_runs=1,
    catchup=False,
)
def sync_calendar() -> None:
    """Read pages, check pages, compare, approve, apply, sum up."""
    readings = read_pages()
    summary = sum_up_calendar.override(task_id="summary", trigger_rule="none_failed")
    check_pages(readings)  # type: ignore[arg-type]  # Airflow hands over what the task returns
    chain(compare(readings), calendar_approval(), apply(), summary())  # type: ignore[arg-type]


sync_calendar()
