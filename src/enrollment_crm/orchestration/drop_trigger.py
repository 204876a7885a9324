"""The drop trigger: wakes an intake DAG when a file has been dropped, within seconds instead of at the next clock.

An event is only a hint here too. A file that stays, because it cannot be read, is told once: the clock of the DAG tries
it again every five minutes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

_LOG = logging.getLogger(__name__)

#: Between two looks. A file has to be quiet for five seconds besides, see ``sources/drop_folder.py``.
_LOOK_EVERY_IN_SECONDS = 2.0

Files = frozenset[tuple[Path, Any]]


class DropTrigger(BaseEventTrigger):
    """Fires when a finished file waits in a drop folder of one kind that was not there, or not the same, before."""

    def __init__(self, kind: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kind = kind

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What Airflow keeps to run it again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"kind": self.kind}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for what has been dropped since the last look."""
        announced: Files = frozenset()
        while True:
            try:
                waiting = await asyncio.to_thread(_waiting_files, self.kind)
            except Exception as error:
                # A folder that cannot be read now, a mistake in the configuration: somebody mends it. The name of a
                # file could be somebody's, so only the type is told; the task says the rest.
                _LOG.warning("The drop folder cannot be looked at (%s); it is tried again.", type(error).__name__)
            else:
                if waiting - announced:
                    yield TriggerEvent({"kind": self.kind, "files": len(waiting)})  # type: ignore[no-untyped-call]
                announced = waiting
            await asyncio.sleep(_LOOK_EVERY_IN_SECONDS)


def _waiting_files(kind: str) -> Files:
    # Imported when it is needed: DAG files import this module, and parsing them must cost nothing.
    from enrollment_crm.bootstrap import dropped_files_of
    from enrollment_crm.domain.canonical_rows import RecordKind
    from enrollment_crm.settings import Settings

    return dropped_files_of(Settings(), RecordKind(kind))
