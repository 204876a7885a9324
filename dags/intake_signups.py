"""
# Signups become people, and get their welcome

**What it does.** Rows of the inbox are judged by `expectations/signups.json`, loaded as people, routed by entry term
and residency, and welcomed by email. It wakes when a row arrives or a file was dropped, and every five minutes besides.
*collect* stands beside: it brings rows of dropped files into the inbox, and they wake the next run. So nobody who
filled in the form waits for a file.

**When it is red.** Open the red task's log; its last line says what to do.
*collect*: a source does not answer, or refuses us. *validate*: a suite cannot be used.
*load*, *route*: usually the database. *welcome*: the relay does not answer, or refuses us.

**Safe to clear?** Yes, every task, at any time: a task drains what waits for it, and the database knows what was done.
Rejected rows wait in `enrollment-crm quarantine list`, stopped batches in `enrollment-crm batches list`, each with the
reason in words.
"""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, chain, dag

from enrollment_crm.orchestration.assets import INBOX_SIGNUPS, LEADS
from enrollment_crm.orchestration.policies import TASK_DEFAULTS, late_after
from enrollment_crm.orchestration.run_parameters import PARAMETERS
from enrollment_crm.orchestration.tasks import answer, collect, load, route, validate


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="America/New_York"), assets=[INBOX_SIGNUPS]
    ),
    doc_md=__doc__,
    tags=["intake", "signups"],
    params=PARAMETERS,
    default_args=TASK_DEFAULTS,
    deadline=late_after(timedelta(minutes=15)),
    max_active_runs=2,
    catchup=False,
)
def intake_signups() -> None:
    """Collect beside validate, load, route, welcome."""
    welcome = answer.override(task_id="welcome", outlets=[LEADS])
    collect("signup")
    chain(validate("signup"), load("signup"), route(), welcome("welcome"))


intake_signups()
