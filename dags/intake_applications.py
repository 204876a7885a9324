"""
# Applications are taken in, and receipts go out

**What it does.** The Slate query is pulled and dropped exports of applications and of their checklists are read into
the inbox, judged by `expectations/applications.json` and `expectations/checklists.json`, loaded (a status never goes
back from submitted; of an item the newest word of its source holds), routed, and submitted applications are
acknowledged by email. It wakes when a row arrives or a file was dropped, and every five minutes besides.

**When it is red.** Open the red task's log; its last line says what to do.
*collect*: Slate does not answer, or refuses the key; rows that came before are safe, and reminders that say
"you have not submitted" or "not yet processed" may be out of date until it is green again.
*validate*: a suite cannot be used. *load*, *route*: usually the database. *acknowledge*: the relay does not answer, or
refuses us.

**Safe to clear?** Yes, every task, at any time: a task drains what waits for it, and the database knows what was done.
Rejected rows wait in `enrollment-crm quarantine list`, stopped batches in `enrollment-crm batches list`, each with the
reason in words.
"""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, chain, dag

from enrollment_crm.orchestration.assets import INBOX_APPLICATIONS, LEADS
from enrollment_crm.orchestration.policies import TASK_DEFAULTS, late_after
from enrollment_crm.orchestration.run_parameters import PARAMETERS
from enrollment_crm.orchestration.tasks import answer, collect, load, route, validate


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="America/New_York"), assets=[INBOX_APPLICATIONS]
    ),
    doc_md=__doc__,
    tags=["intake", "applications"],
    params=PARAMETERS,
    default_args=TASK_DEFAULTS,
    deadline=late_after(timedelta(minutes=15)),
    max_active_runs=2,
    catchup=False,
)
def intake_applications() -> None:
    """Collect, validate, load, route, acknowledge."""
    acknowledge = answer.override(task_id="acknowledge", outlets=[LEADS])
    chain(
        collect("application"),
        validate("application"),
        load("application"),
        route(),
        acknowledge("application_received"),
    )


intake_applications()
