"""A trigger at work in a thread of its own, as the triggerer runs it, and the events that it yields."""

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Watched:
    """The events so far, in order."""

    events: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)

    def next_event(self, *, within_in_seconds: float) -> tuple[dict[str, Any], float]:
        """The payload of the next event, and how many seconds it took."""
        began = time.monotonic()
        payload = self.events.get(timeout=within_in_seconds)
        return payload, time.monotonic() - began

    def is_silent(self, *, for_seconds: float) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.events.get(timeout=for_seconds)
        except queue.Empty:
            return True
        return False


@contextmanager
def watched(trigger: Any) -> Iterator[Watched]:
    """The trigger runs until the end of the block; what it raises, the block raises."""
    seen, loop, failures = Watched(), asyncio.new_event_loop(), []

    async def collect() -> None:
        async for event in trigger.run():
            seen.events.put(event.payload)

    task = loop.create_task(collect())

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            failures.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seen
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=30)
        loop.close()
    assert failures == []
