"""Made-up people who are due, a durable PostgreSQL, the sink, and what became of everybody."""

import json
import mailbox
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection

from sqlalchemy import Engine, text
from tests.benchmarks.people import fill
from tests.chaos.nursery import Nursery, Orders, Report, settings_of
from tests.chaos.sink import Behaviour

from enrollment_crm.bootstrap import outbox_of, programs_of
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.stack.ports import free_port
from enrollment_crm.stack.postgres import Cluster, start_cluster
from enrollment_crm.stack.processes import Supervisor
from enrollment_crm.stack.programs import Service
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.storage.sweeps import record_sweeps
from enrollment_crm.workflows.deadlines import load_calendar
from enrollment_crm.workflows.reminders import find_due

#: Ten in Boston, a fortnight and a week before 1 December: a copy of the latter is worth a duplicate.
T_14 = datetime(2026, 11, 17, 15, tzinfo=UTC)
T_7 = datetime(2026, 11, 24, 15, tzinfo=UTC)
_ARRIVED = datetime(2026, 8, 1, tzinfo=UTC)


#: ``is_known``: the relay's answer to the last transmission was recorded by the worker that got it.
_MESSAGES = """
    SELECT message_id, state, attempts, refusals,
           CAST(state = 'accepted' AND outcome NOT LIKE 'found in%' AS int) AS is_known
    FROM message
"""


@dataclass(frozen=True)
class Outcome:
    """What became of the people of one scenario."""

    people: int
    #: Neither accepted by the sink nor shown to anybody.
    lost: int
    #: Copies beyond the first.
    duplicates: int
    #: Nobody can tell; shown to operations.
    uncertain: int
    #: How often a transmission began whose outcome nobody recorded.
    unknown: int
    #: People who got copies under more than one Message-ID.
    several_ids: int
    report: Report


@dataclass
class ChaosOffice:
    """One database and one sink; each scenario begins with new people and an empty Maildir."""

    folder: Path
    supervisor: Supervisor
    cluster: Cluster
    port: int
    engine: Engine
    _scenarios: int = 0
    _nurseries: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the database."""
        return self.cluster.url("crm")

    def behave(self, behaviour: Behaviour, share: float = 1) -> None:
        """From the next message on."""
        unfinished = self.folder / "behaviour.new"
        unfinished.write_text(f"{behaviour.value} {share}")
        unfinished.rename(self.folder / "behaviour")

    def begin(self, people: int, *, now: datetime, swept_before: timedelta = timedelta(minutes=5)) -> int:
        """Everything anew; the number of people to whom something goes now."""
        self.behave(Behaviour.WELL)
        tables = "person, interest, application, cover, message, sweep, outage, unsubscription"
        with transaction(self.engine) as connection:
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
            fill(connection, people, program=Settings().default_program, since=_ARRIVED)
            connection.execute(text("UPDATE person SET zone = 'America/New_York'"))
            record_sweeps(connection, list(Sweep), now - swept_before)
        for file in self.maildir.glob("*/*"):
            file.unlink()
        due = find_due(outbox_of(settings_of(self.port, ""), self.engine), now=now)
        return sum(one.to_send for one in due)

    @property
    def maildir(self) -> Path:
        """What the sink took."""
        return self.folder / "mail"

    def orders(self, *, now: datetime, has_log: bool, **what: object) -> Orders:
        """Orders for a nursery, with what is due now."""
        self._scenarios += 1
        due = find_due(outbox_of(settings_of(self.port, ""), self.engine), now=now)
        plain = Orders(
            url=self.url,
            port=self.port,
            accept_log=str(self.maildir) if has_log else "",
            now=now.isoformat(),
            due=tuple(one.to_wire() for one in due),
            seed=self._scenarios,
        )
        return replace(plain, **what)  # type: ignore[arg-type]

    def start(self, orders: Sequence[Orders]) -> list[subprocess.Popen[str]]:
        """A process for each nursery."""
        running = []
        for number, one in enumerate(orders):
            file = self.folder / f"orders-{number}.json"
            file.write_text(json.dumps(asdict(replace(one, seed=one.seed * 10 + number))))
            command = [sys.executable, "-m", "tests.chaos.nursery", str(file)]
            log = (self.folder / f"nursery-{number}.log").open("a")
            running.append(subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=log, text=True))
        self._nurseries += running
        return running

    def wait(self, nurseries: Sequence[subprocess.Popen[str]], *, within: float = 240) -> Report:
        """Until every nursery has reared its last worker; what happened in all of them."""
        total = Report()
        for one in nurseries:
            said, _ = one.communicate(timeout=within)
            if one.returncode:
                raise RuntimeError(f"A nursery failed: see {self.folder}/nursery-*.log.")
            report = Report(**json.loads(said))
            total.killed += report.killed
            total.frozen += report.frozen
            total.failed += report.failed
        return total

    def outcome(self, people: int, report: Report) -> Outcome:
        """What became of everybody, from the ledger and from what the sink took."""
        taken = self.taken()
        copies = Counter(message_id for message_id, _ in taken)
        with transaction(self.engine) as connection:
            rows = connection.execute(text(_MESSAGES)).all()
        shown = sum(row.state in ("uncertain", "failed", "withheld") and row.message_id not in copies for row in rows)
        ids_by_reader: dict[str, set[str]] = {}
        for message_id, reader in taken:
            ids_by_reader.setdefault(reader, set()).add(message_id)
        return Outcome(
            people=people,
            lost=people - len(copies) - shown,
            duplicates=sum(copies.values()) - len(copies),
            uncertain=sum(row.state == "uncertain" for row in rows),
            unknown=sum(max(0, row.attempts - row.refusals - row.is_known) for row in rows),
            several_ids=sum(len(ids) > 1 for ids in ids_by_reader.values()),
            report=report,
        )

    def taken(self) -> list[tuple[str, str]]:
        """Message-ID and recipient of everything that the sink took, in its order."""
        folder = mailbox.Maildir(self.maildir, create=False)
        found = []
        for key in sorted(folder.keys()):
            head = folder.get_bytes(key).partition(b"\r\n\r\n")[0].decode()
            lines = dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)
            found.append((lines["Message-ID"], lines["Delivered-To"]))
        return found

    def restart_database(self, *, crash: bool) -> None:
        """Properly, or by ending it at once so that it has to recover."""
        process_id = self.supervisor.processes["postgresql"]
        if not crash:
            self.supervisor.restart("postgresql")
            return
        os.kill(process_id, signal.SIGQUIT)
        time.sleep(0.2)
        self.supervisor.wait_until_ready()

    def close(self) -> None:
        """Nothing that was started here stays."""
        for one in self._nurseries:
            if one.poll() is None:
                one.kill()
            one.wait()
        self.engine.dispose()


@contextmanager
def chaos_office(folder: Path) -> Iterator[ChaosOffice]:
    """The office of a chaos run; nothing of it is left running."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster, port = Cluster(folder.resolve() / "postgresql"), free_port()
    with Supervisor(log_directory=folder / "logs") as supervisor:
        start_cluster(cluster, supervisor, databases=("crm",))
        engine = connect(cluster.url("crm"))
        upgrade_schema(engine)
        load_calendar(engine, programs_of(Settings()), now=datetime(2026, 1, 1, tzinfo=UTC))
        office = ChaosOffice(folder, supervisor, cluster, port, engine)
        office.behave(Behaviour.WELL)
        supervisor.launch(_sink(office))
        supervisor.wait_until_ready()
        try:
            yield office
        finally:
            office.close()


def _sink(office: ChaosOffice) -> Service:
    command = [
        *(sys.executable, "-m", "tests.chaos.sink", "--port", str(office.port)),
        *("--directory", str(office.maildir), "--behaviour", str(office.folder / "behaviour")),
    ]

    def listens(_started_at: float) -> bool:
        with suppress(OSError), create_connection(("127.0.0.1", office.port), timeout=1):
            return True
        return False

    return Service("sink", command, listens, stop_within_in_seconds=1, working_directory=CHECKOUT)


__all__ = ["T_7", "T_14", "ChaosOffice", "Nursery", "Outcome", "chaos_office"]
