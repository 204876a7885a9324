"""Approval by a person: the run waits in Airflow, where a change is shown in full and answered."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseNotifier

from enrollment_crm.orchestration.alerts import tell_operations_approval_is_wanted
from enrollment_crm.orchestration.tasks import COMPARED

#: Unanswered for so long, a change counts as rejected: nothing is changed, and the next run asks again.
ANSWER_WITHIN = timedelta(days=3)
_PULLED = f"ti.xcom_pull(task_ids='compare', key='{COMPARED}')"


class ApprovalNotifier(BaseNotifier):
    """Tells operations that a run waits for an answer: nobody looks at Airflow all day."""

    def notify(self, context: Any) -> None:
        """Called once, when the run begins to wait."""
        tell_operations_approval_is_wanted(context)


def calendar_approval() -> ApprovalOperator:
    """Ask a person whether the plan that `compare` made is to be applied.

    The words of pages are shown as they are: four spaces make a line plain text, where Airflow reads Markdown.
    """
    return ApprovalOperator(
        task_id="approve",
        subject=f"{{{{ {_PULLED}['subject'] }}}}",
        body=f"{{{{ {_PULLED}['words'] | indent(4, first=true, blank=true) }}}}",
        defaults=ApprovalOperator.REJECT,
        response_timeout=ANSWER_WITHIN,
        notifiers=[ApprovalNotifier()],
    )
