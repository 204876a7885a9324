"""A nursery of workers: forks one after the other from a warm process, and ends each as it is told.

    python -m tests.chaos.nursery ORDERS.json

Each worker runs the workflow of the DAG's tasks over the units of a sweep, then takes up what others left behind, until
everything is settled. It never gets far: a random moment, or a failpoint, ends it. The last worker is left alone.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from enrollment_crm.bootstrap import outbox_of, transport_of
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.mail.failpoints import Failpoint, FailpointReached
from enrollment_crm.settings import Settings
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.unfinished import count_unsettled
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import Due, find_due, send_due


@dataclass(frozen=True)
class Orders:
    """What a nursery is to do."""

    url: str
    port: int
    #: The relay's accept log; empty: there is none to ask.
    accept_log: str
    now: str
    due: tuple[dict[str, object], ...]
    seed: int
    #: So many workers are killed at a random moment; more are not, but may die by themselves.
    kills: int = 0
    #: They are killed at these failpoints instead, in turn, each at a random passing up to this one.
    failpoints: tuple[str, ...] = ()
    latest_passing: int = 1
    #: So many are stopped instead, for longer than a lease, and go on.
    freezes: int = 0
    #: Each sweeps by itself (finds what is due, too), as another scheduler's would.
    sweeps: bool = False
    longest_life_in_seconds: float = 0.5


@dataclass
class Report:
    """What happened in a nursery."""

    killed: int = 0
    frozen: int = 0
    #: Workers that ended by an error, such as a database that was gone.
    failed: int = 0


def settings_of(port: int, accept_log: str) -> Settings:
    """Short timeouts, and a lease that is just longer than the dialogue that they allow."""
    return Settings(
        smtp_port=port,
        allowed_recipient_domains="*",
        accept_log_directory=Path(accept_log) if accept_log else None,
        smtp_connect_timeout_in_seconds=0.5,
        smtp_command_timeout_in_seconds=0.5,
        smtp_data_timeout_in_seconds=0.8,
        lease_in_seconds=2.5,
    )


_UNFINISHED = Due("unfinished deadline reminders", 1, 1, unfinished=MessageKind.DEADLINE_REMINDER)


class Nursery:
    """Rears workers from one warm outbox; it holds no connection while it forks."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._random = random.Random(orders.seed)
        self._settings = settings_of(orders.port, orders.accept_log)
        self._outbox = outbox_of(self._settings, connect(orders.url))
        self._now = datetime.fromisoformat(orders.now)
        self.report = Report()

    def rear(self) -> Report:
        """Workers, until everything is settled and everything that was ordered has happened to one."""
        self._warm()
        while True:
            kill = self.report.killed < self._orders.kills
            freeze = not kill and self.report.frozen < self._orders.freezes
            if self._live(kill=kill, freeze=freeze) == 0:
                return self.report

    def _warm(self) -> None:
        """Send one group, so that statements are compiled and templates rendered; as far as the database lets us."""
        with contextlib.suppress(FailpointReached, DBAPIError):
            self._work(replace(self._outbox, failpoint=Failpoint("after_commit:raise")), units_only=True)
        self._outbox.transport.close()
        self._outbox.engine.dispose()

    def _live(self, *, kill: bool, freeze: bool) -> int:
        """One worker from its birth to its end; the code that it ended with."""
        order = self._next_order() if kill and self._orders.failpoints else ""
        worker = os.fork()
        if not worker:
            self._be_worker(order)
        if kill and not order:
            self._after_a_while(lambda: os.kill(worker, signal.SIGKILL))
        status = self._freeze_again_and_again(worker) if freeze else None
        if status is None:
            _, status = os.waitpid(worker, 0)
        if os.WIFSIGNALED(status):
            self.report.killed += 1
        elif status:
            self.report.failed += 1
            time.sleep(0.1)
        return status

    def _next_order(self) -> str:
        place = self._orders.failpoints[self.report.killed % len(self._orders.failpoints)]
        return f"{place}:kill:{self._random.randint(1, self._orders.latest_passing)}"

    def _after_a_while(self, happen: Callable[[], None]) -> None:
        time.sleep(self._random.uniform(0, self._orders.longest_life_in_seconds))
        with contextlib.suppress(ProcessLookupError):
            happen()

    def _freeze_again_and_again(self, worker: int) -> int | None:
        """As often as was ordered; the code of a worker that ended before."""
        while self.report.frozen < self._orders.freezes:
            time.sleep(self._random.uniform(0, self._orders.longest_life_in_seconds))
            ended, status = os.waitpid(worker, os.WNOHANG)
            if ended:
                return status
            os.kill(worker, signal.SIGSTOP)
            time.sleep(self._settings.lease_in_seconds * 1.2)
            os.kill(worker, signal.SIGCONT)
            self.report.frozen += 1
        return None

    def _be_worker(self, order: str) -> None:
        code = 1
        try:
            failpoint = Failpoint(order)
            settings = self._settings
            fresh = outbox_with(self._outbox, settings, failpoint)
            self._work(fresh)
            code = 0
        finally:
            os._exit(code)

    def _work(self, outbox: Outbox, *, units_only: bool = False) -> None:
        for unit in self._units(outbox):
            send_due(outbox, unit, now=self._now)
        while not units_only:
            with transaction(outbox.engine) as connection:
                # A pause of a minute after a refusal is over at once: nobody waits for it here.
                connection.execute(text("UPDATE message SET retry_at = clock_timestamp() WHERE state = 'retry'"))
                left = count_unsettled(connection)
            if not left and not (due := find_due(outbox, now=self._now)):
                return
            for unit in due if not left else [_UNFINISHED]:
                send_due(outbox, unit, now=self._now)
            time.sleep(0.1)

    def _units(self, outbox: Outbox) -> list[Due]:
        if self._orders.sweeps:
            return find_due(outbox, now=self._now)
        return [Due.from_wire(one) for one in self._orders.due]


def outbox_with(outbox: Outbox, settings: Settings, failpoint: Failpoint) -> Outbox:
    """The outbox of one worker: a session of its own, and the place at which it ends."""
    return replace(outbox, transport=transport_of(settings, failpoint=failpoint), failpoint=failpoint)


def main() -> None:
    """Read the orders, rear, report."""
    orders = json.loads(Path(sys.argv[1]).read_text())
    report = Nursery(Orders(**orders)).rear()
    sys.stdout.write(json.dumps(asdict(report)) + "\n")


if __name__ == "__main__":
    main()
