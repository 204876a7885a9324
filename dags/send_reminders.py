"""
# Reminders go out, each at its hour and once

**What it does.** Finds the deadline points and session points that are due (rules R3 and R10), claims the people
they concern, withholds what R7 withholds, and sends. Who has submitted, and whose checklist lists something that is not
yet processed, is reminded of that at the same points (units named *checklists*). One mapped task for each cell: the
grid shows its name and how many people it concerns. It wakes when people have been routed, and every five minutes
besides.

**What is held.** While a feed of applications is older than its budget (`config/sources/`), nobody is told that they
have not submitted: reminders and invitations stand in the grid as `held: ...` with the reason, and you are told once
by mail. Mend the feed (*collect* of `intake_applications`), or take its export in with `enrollment-crm intake --file`.
R6 then decides what still goes out. A feed that comes now and then only gets `freshness: not_watched`.

**When it is red.** Open the red task's log; its last line says what to do.
*find_due_cells*: usually the database. *send*: the relay does not answer, or refuses us (5.7.x: sign-in, sender,
policy, reputation): mend that first, then clear the task. *summary*: the relay did not take the mail about the gate.

**Safe to clear?** Yes, every task, at any time: a key is unique in the database. A message whose worker vanished in
mid-transmission is looked up in the relay's accept log by its Message-ID. Without a log, 7-day and 1-day reminders
are sent once more under the same Message-ID, and others end as `uncertain`, for you to decide.
To see what would go out: trigger it with *Dry run*, and with *As of* for another instant.
"""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag

from enrollment_crm.orchestration.assets import LEADS
from enrollment_crm.orchestration.policies import TASK_DEFAULTS, late_after
from enrollment_crm.orchestration.run_parameters import PARAMETERS
from enrollment_crm.orchestration.tasks import find_due_cells, send, summary


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="America/New_York"), assets=[LEADS]
    ),
    doc_md=__doc__,
    tags=["reminders"],
    params=PARAMETERS,
    default_args=TASK_DEFAULTS,
    deadline=late_after(timedelta(minutes=30)),
    max_active_runs=2,
    catchup=False,
)
def send_reminders() -> None:
    """Find due cells, send each, sum up."""
    found = find_due_cells()
    summary(found, send.expand(due=found))  # type: ignore[arg-type]  # Airflow hands over what the tasks return


send_reminders()
