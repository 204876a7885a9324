"""Alerts to operations: a run that is late writes to the log, and to the operations address where there is one."""

import asyncio
import logging
from typing import Any

from enrollment_crm.settings import Settings

_LOG = logging.getLogger(__name__)


async def tell_operations_run_is_late(*, limit_in_minutes: float, context: dict[str, Any] | None = None) -> None:
    """Called by the triggerer when a run is late. Names the DAG and the run, no people."""
    run = (context or {}).get("dag_run") or {}
    name = f"{run.get('dag_id', 'a DAG')} ({run.get('run_id', 'run unknown')})"
    sentence = f"The run of {name} has not ended {limit_in_minutes:g} minutes after it was queued."
    _LOG.error("%s Open it in Airflow: its runbook says what to do.", sentence)
    settings = Settings()
    if settings.operations_address:
        await asyncio.to_thread(_send, settings, sentence)


def _send(settings: Settings, sentence: str) -> None:
    # Imported when it is needed: DAG files import this module, and parsing them must cost nothing.
    from enrollment_crm.bootstrap import clock_of, sender_of, transport_of
    from enrollment_crm.mail.alerts import build_alert

    alert = build_alert(
        subject=f"Late: {sentence}",
        text=f"{sentence}\n\nOpen the run in Airflow. Its runbook says what to do, and whether it is safe to clear.\n",
        recipient=settings.operations_address,
        sender=sender_of(settings),
        now=clock_of(settings)(),
    )
    transport = transport_of(settings)
    try:
        transport.send(alert, before_data=lambda: None)
    finally:
        transport.close()
