"""Intake: a file of signups to validated, deduplicated, routed people, beside COPYing the same file to a bare table.

Beside both stands what PostgreSQL alone takes to write the rows that an import comes to, out of a table that has them:
with the keys and indexes that they are found by, and with no file, no rule and no decision.

``python -m tests.benchmarks.intake 10000 100000`` measures these sizes alone. Each size runs in a process and a schema
of its own, so that the memory of one is not the memory of another.
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import Engine, text
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.signups import write_signups

from enrollment_crm.bootstrap import country_zones_of, field_maps_of, programs_of, validator_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import file_feed
from enrollment_crm.storage.engine import connect
from enrollment_crm.storage.rehearsal import scratch_schema
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.deadlines import load_calendar
from enrollment_crm.workflows.inbox import collect
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups

_SIZES = (10_000, 100_000, 1_000_000)
_NOW = datetime(2026, 11, 1, 15, tzinfo=UTC)
_MOST_TIMES_COPY, _MOST_GIBIBYTES, _MOST_OF_FIRST = 15, 1.0, 0.5
#: Linear: a row of the largest file costs at most so many times what one of the smallest costs.
_MOST_GROWTH = 1.3
#: The tables that intake writes, each after those that it refers to.
_KEPT = (
    "batch", "batch_rule", "inbox", "quarantine", "person", "interest", "residency_evidence", "consent", "event",
    "review",
)  # fmt: skip
_KIBIBYTES_A_GIBIBYTE = 1024 * 1024
_BLOCK_IN_BYTES = 1024 * 1024


@dataclass(frozen=True)
class _Cost:
    """Seconds: by the clock on the wall, of our CPU, and of PostgreSQL's CPU."""

    wall: float = 0.0
    ours: float = 0.0
    server: float = 0.0

    @property
    def cpu(self) -> float:
        """Of both: what a shared machine shows more truly than the clock."""
        return self.ours + self.server

    def __add__(self, other: "_Cost") -> "_Cost":
        return _Cost(self.wall + other.wall, self.ours + other.ours, self.server + other.server)


@dataclass
class _Figures:
    """What one size came to."""

    rows: int
    copy: _Cost = field(default_factory=_Cost)
    #: PostgreSQL alone writes the rows of ``_KEPT``.
    floor: _Cost = field(default_factory=_Cost)
    steps: dict[str, _Cost] = field(default_factory=dict)
    again: _Cost = field(default_factory=_Cost)
    written_again: int = 0
    gibibytes: float = 0.0

    @property
    def whole(self) -> _Cost:
        return sum(self.steps.values(), _Cost())


def measure(sizes: Sequence[int] = _SIZES) -> list[Measurement]:
    """The import of each size beside COPY, its growth, its memory, and the same file once more."""
    with tempfile.TemporaryDirectory() as folder, crm_database(Settings(), upgrade=False) as server:
        url = server.url.render_as_string(hide_password=False)
        figures = [_in_own_process(url, size, Path(folder)) for size in sizes]
    return [row for one in figures for row in _rows(one, figures[0])]


def _in_own_process(url: str, size: int, folder: Path) -> _Figures:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_figures, url, size, folder).result()


def _figures(url: str, size: int, folder: Path) -> _Figures:
    file = folder / f"{size}.csv"
    write_signups(file, size)
    figures = _Figures(size)
    with _empty_database(url, _schema(size)) as engine:
        work = _steps(engine, file)
        figures.copy = _cost(engine, partial(_copy, engine, file))
        for name, do in work.items():
            figures.steps[name] = _cost(engine, do)
        kept = _rows_kept(engine)
        for do in work.values():
            figures.again += _cost(engine, do)
        figures.written_again = _rows_kept(engine) - kept
        figures.floor = _floor(engine, url, size)
    file.unlink()
    figures.gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTES_A_GIBIBYTE
    return figures


def _schema(size: int) -> str:
    return f"bench_intake_{size}"


@contextmanager
def _empty_database(url: str, schema: str) -> Iterator[Engine]:
    server = connect(url)
    with scratch_schema(server, schema) as engine:
        upgrade_schema(engine)
        load_calendar(engine, programs_of(Settings()), now=_NOW)
        yield engine
    server.dispose()


def _steps(engine: Engine, file: Path) -> dict[str, Callable[[], object]]:
    """The tasks of the DAG ``intake_signups``, but for the one that sends."""
    settings, kind = Settings(), RecordKind.SIGNUP
    field_maps, zones, program = field_maps_of(settings), country_zones_of(settings), settings.default_program
    feed, validator = file_feed("signups_csv", kind, file=file), validator_of(settings)
    return {
        "collect": partial(collect, engine, [feed], now=_NOW),
        "validate": partial(validate_pending, engine, validator, field_maps, kind=kind, secret=b"benchmark", now=_NOW),
        "load": partial(load_signups, engine, field_maps, country_zones=zones, default_program=program, now=_NOW),
        "route": partial(route_people, engine, programs_of(settings), default_program=program, now=_NOW),
    }


def _copy(engine: Engine, file: Path) -> None:
    """The least that it can cost: PostgreSQL reads the file into a table of texts without a key."""
    with file.open("rb") as content, engine.begin() as connection:
        header = content.readline().decode().strip().split(",")
        columns = ", ".join(f'"{name}" text' for name in header)
        connection.execute(text(f"CREATE TABLE bare ({columns})"))
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor().copy("COPY bare FROM STDIN (FORMAT csv)") as copy:
            while block := content.read(_BLOCK_IN_BYTES):
                copy.write(block)


def _floor(engine: Engine, url: str, size: int) -> _Cost:
    """What PostgreSQL takes for the rows of ``_KEPT`` once they are known, in a schema of its own."""

    def write() -> None:
        with empty.begin() as connection:
            for table in _KEPT:
                everything = f"OVERRIDING SYSTEM VALUE SELECT * FROM {_schema(size)}.{table}"
                connection.execute(text(f"INSERT INTO {table} {everything}"))

    with _empty_database(url, f"{_schema(size)}_floor") as empty:
        return _cost(engine, write)


def _rows_kept(engine: Engine) -> int:
    """All rows of the tables that intake writes."""
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in _KEPT)
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT {counts}")).scalar_one())


def _cost(engine: Engine, do: Callable[[], object]) -> _Cost:
    wall, ours, server = time.monotonic(), _our_seconds(), _server_seconds(engine)
    do()
    return _Cost(time.monotonic() - wall, _our_seconds() - ours, _server_seconds(engine) - server)


def _our_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _server_seconds(engine: Engine) -> float:
    """CPU of every process of the server, those that have ended as well; 0 where it runs on another machine."""
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    if not Path(f"/proc/{backend}").exists():
        return 0.0
    server = _Process.of(_Process.of(backend).parent)
    living = [one.ticks for one in _Process.all() if one.parent == server.number]
    return (server.ticks + server.ticks_of_ended_children + sum(living)) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class _Process:
    """A process as Linux shows it in ``/proc``."""

    number: int
    parent: int
    ticks: int
    ticks_of_ended_children: int

    @classmethod
    def of(cls, number: int) -> Self:
        words = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()
        return cls(number, int(words[1]), int(words[11]) + int(words[12]), int(words[13]) + int(words[14]))

    @classmethod
    def all(cls) -> Iterator[Self]:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                yield cls.of(int(folder.name))


def _rows(one: _Figures, smallest: _Figures) -> list[Measurement]:
    whole, what = one.whole, f"{one.rows:,} signups"
    growth = (whole.cpu / one.rows) / (smallest.whole.cpu / smallest.rows)
    goals = {
        "from a file to routed people, beside COPY": _beside(whole, one.copy, _MOST_TIMES_COPY),
        "the same file again, beside the first time": _beside(one.again, whole, _MOST_OF_FIRST),
    }
    rows = [
        Measurement(f"{what} {name}", value, "s", reference, ratio, f"<= {most} times", ratio <= most)
        for name, (value, reference, ratio, most) in goals.items()
    ]
    none, nothing = f"{one.written_again} rows written by the second time", one.written_again == 0
    return [
        *rows,
        _without_goal(f"{what}: the same rows written by PostgreSQL alone, beside COPY", one.floor, one.copy),
        _without_goal(f"{what} from a file to routed people, beside that", whole, one.floor),
        *(_in_words(f"{what}: {name}", cost) for name, cost in {"COPY": one.copy, **one.steps}.items()),
        Measurement(f"{what}, {none}", one.written_again, "rows", None, None, "0", nothing),
        Measurement(
            f"{what}, CPU a row beside that of {smallest.rows:,}",
            whole.cpu / one.rows * 1e6,
            "us",
            smallest.whole.cpu / smallest.rows * 1e6,
            growth,
            f"<= {_MOST_GROWTH} times",
            growth <= _MOST_GROWTH,
        ),
        Measurement(
            f"{what}, memory of our process at its peak",
            one.gibibytes,
            "GiB",
            None,
            None,
            f"<= {_MOST_GIBIBYTES}",
            one.gibibytes <= _MOST_GIBIBYTES,
        ),
    ]


def _beside(cost: _Cost, reference: _Cost, most: float) -> tuple[float, float, float, float]:
    return cost.wall, reference.wall, cost.wall / reference.wall, most


def _without_goal(name: str, cost: _Cost, reference: _Cost) -> Measurement:
    return Measurement(name, cost.wall, "s", reference.wall, cost.wall / reference.wall, "", ok=True)


def _in_words(name: str, cost: _Cost) -> Measurement:
    name = f"{name} (CPU: ours {cost.ours:.2f} s, PostgreSQL {cost.server:.2f} s)"
    return Measurement(name, cost.wall, "s", None, None, "", ok=True)


if __name__ == "__main__":
    for row in measure([int(word) for word in sys.argv[1:]] or _SIZES):
        sys.stdout.write(
            f"{row.value:10.3f} {row.unit:5} {row.ratio or 0:7.2f}  {'yes' if row.ok else 'NO ':3}  {row.name}\n"
        )
