"""
# What comes back: bounces, complaints, events of the mail provider

**What it does.** Every five minutes. *read_mailbox* reads the bounce mailbox (`CRM_BOUNCE_MAILBOX_URL`): a report is
believed only if the address it came back to carries our signature. An address that does not exist (5.1.1, 5.1.10,
5.2.1), or that came back three times within 14 days (4.x.x), goes on the suppression list; a complaint does too, and
ends all writing to its reader (R7). 5.7.x suppresses nobody: receivers refuse *us*, and you are told once a day.
*take_events* does the same with events that the mail provider posted. *reconcile* asks the relay's accept log what
became of messages whose workers vanished; it sends nothing. *watch_complaints* stops a kind of message when more than
0.3 % of it was reported as spam within seven days (`config/feedback.yml`), or a tenth of its last 500 came back because
of their address (`CRM_BOUNCE_STOP_SHARE`), and tells you. Find out why, then run `enrollment-crm campaigns resume`; its
next complaint over the limit stops it again.

**Answers of people.** Nobody is ever answered by this. What a person wrote lies in the folder `replies` of the mailbox,
for you to read; `forged` and `unreadable` hold what was counted and changed nothing.

**When it is red.** Open the red task's log; its last line says what to do. *read_mailbox*: the mailbox does not
answer, or refuses us: nothing is lost, letters stay where they are until they are taken in. *take_events*: usually
the database; events that cannot be read are in the quarantine. *reconcile*: the relay's accept log.
*watch_complaints*: operations could not be told: the relay did not take the mail.

**Safe to clear?** Yes, every task, at any time: a letter is filed only after what it says is committed, and one that
is read twice counts once. The same from a terminal: `enrollment-crm feedback`.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, chain, dag

from enrollment_crm.orchestration.policies import TASK_DEFAULTS, late_after
from enrollment_crm.orchestration.run_parameters import PARAMETERS
from enrollment_crm.orchestration.tasks import read_mailbox, reconcile, take_events, watch_complaints


@dag(
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="America/New_York"),
    doc_md=__doc__,
    tags=["feedback"],
    params=PARAMETERS,
    default_args=TASK_DEFAULTS,
    deadline=late_after(timedelta(minutes=30)),
    max_active_runs=1,
    catchup=False,
)
def process_feedback() -> None:
    """Mailbox and events beside each other, then complaints; reconciling by itself."""
    watched = watch_complaints.override(trigger_rule="all_done")()
    chain([read_mailbox(), take_events()], watched)
    reconcile()


process_feedback()
