"""What all DAGs share: who owns them, how often a failed task is tried again, and when a run counts as late."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from enrollment_crm.orchestration.alerts import tell_operations_run_is_late, tell_operations_task_failed

_OWNER = "enrollment-operations"

#: Failures that the same input gives again: a person must act, and trying again only delays the red light.
_HOPELESS = (
    "enrollment_crm.sources.feed_errors.FeedRefusedError",
    "enrollment_crm.sources.bounce_mailbox.MailboxRefusedError",
    "enrollment_crm.sources.feedback_policy.FeedbackConfigurationError",
    "enrollment_crm.sources.field_maps.FieldMapError",
    "enrollment_crm.sources.programs.ProgramConfigurationError",
    "enrollment_crm.validation.suites.SuiteError",
    "enrollment_crm.mail.problems.TemplateErrors",
    "enrollment_crm.domain.calendar_plans.StalePlanError",
    "enrollment_crm.domain.calendar_sync.CalendarUnreadError",
    "enrollment_crm.domain.campaigns.CampaignStoppedError",
    "enrollment_crm.domain.proposals.ProposalError",
    "enrollment_crm.domain.calendar_sync.NotApprovedError",
    "enrollment_crm.orchestration.run_parameters.AsOfInTheFutureError",
    "enrollment_crm.domain.instants.NaiveDatetimeError",
)

#: Every task is safe to run again: it drains what waits, and the database knows what was done.
TASK_DEFAULTS: dict[str, Any] = {
    "owner": _OWNER,
    "retries": 3,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 3,
    "on_failure_callback": tell_operations_task_failed,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=error, action=RetryAction.FAIL, reason="the same input fails again: see the message")
            for error in _HOPELESS
        ]
    ),
}


def late_after(limit: timedelta) -> DeadlineAlert:
    """Tell operations when a run has not ended this long after it was queued.

    Runs that an asset wakes have no logical date, so the time in the queue is what counts.
    """
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=limit,
        callback=AsyncCallback(tell_operations_run_is_late, kwargs={"limit_in_minutes": limit.total_seconds() / 60}),
    )
