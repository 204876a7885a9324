"""The inbox trigger: wakes an intake DAG when rows wait in the inbox.

An event is only a hint: events merge, are lost, and are not queued for a paused DAG. So the trigger asks whether
anything is pending, never whether anything is newer; and every DAG has the clock beside it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from enrollment_crm.settings import Settings
from enrollment_crm.storage.inbox_watch import InboxWatch, Pending

_LOG = logging.getLogger(__name__)

#: How long to wait before the database is tried again after it went away.
_PAUSE_IN_SECONDS = 1.0
#: The same rows are announced again after this long: their event may have been lost.
_REMIND_AFTER_IN_SECONDS = 60.0


class InboxTrigger(BaseEventTrigger):
    """Fires when rows of one kind wait in the inbox; survives a restart of the database, and one that hangs.

    It carries no credentials: the address of the database comes from the environment of the triggerer.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kind = kind

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What Airflow keeps to run it again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"kind": self.kind}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event whenever what waits has changed, and again after a while if it still waits."""
        announced, announced_at = Pending(0, 0), 0.0
        url = Settings().database_url.get_secret_value()
        while True:
            try:
                async with InboxWatch.open(url, kind=self.kind) as watch:
                    while True:
                        pending = await watch.pending()
                        overdue = time.monotonic() - announced_at > _REMIND_AFTER_IN_SECONDS
                        if pending.rows and (pending != announced or overdue):
                            announced, announced_at = pending, time.monotonic()
                            yield TriggerEvent({"kind": self.kind, "rows": pending.rows})  # type: ignore[no-untyped-call]
                        elif not pending.rows:
                            announced = pending
                        await watch.wait()
            # Any error of the database: it restarts, its tables are being migrated, it does not answer.
            except (psycopg.Error, OSError) as error:
                _LOG.warning(
                    "The database is away (%s); the inbox is watched again when it is back.", type(error).__name__
                )
                await asyncio.sleep(_PAUSE_IN_SECONDS)
