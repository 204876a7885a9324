"""The calendar with up to a million people: a quiet sweep, a moved deadline, a hundred thousand claims.

Each figure stands beside the same with ten thousand people, so that its growth can be seen.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from rich.progress import track
from sqlalchemy import Engine
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.people import fill

from enrollment_crm.bootstrap import outbox_of, programs_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.proposals import Proposal
from enrollment_crm.domain.reminders import due_cells
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.settings import Settings
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.rehearsal import scratch_schema
from enrollment_crm.storage.reminders import DuePage, claim_due_people, next_due_people
from enrollment_crm.storage.schema import upgrade_schema
from enrollment_crm.storage.sweeps import record_sweeps
from enrollment_crm.workflows.calendar_changes import apply_calendar
from enrollment_crm.workflows.calendar_plans import plan_calendar
from enrollment_crm.workflows.cells import due_people, on_time, points_in, turns_in, view_calendar
from enrollment_crm.workflows.deadlines import load_calendar
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import find_due, finish_sweep

_SIZES = (10_000, 100_000, 1_000_000)
_PROGRAM = "ms-advanced-intelligent-manufacturing"
_LONG_BEFORE, _ARRIVED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
#: Nothing is due anywhere.
_QUIET = datetime(2026, 9, 15, 3, tzinfo=UTC)
#: Ten o'clock in Boston, a week before early action.
_BUSY = datetime(2026, 11, 24, 15, tzinfo=UTC)
_ROUNDS = 7
_PEOPLE_A_CLAIM = 1_000
_MOST_CLAIMS = 100_000


@dataclass(frozen=True)
class _Figures:
    """Seconds, and the number of people who were claimed."""

    quiet: float
    plan: float
    apply: float
    claim: float
    claimed: int


def measure() -> list[Measurement]:
    """The figures of the largest cohort beside those of the smallest."""
    with crm_database(Settings(), upgrade=False) as server:
        figures = {size: _figures(server, size) for size in track(_SIZES, description="Cohorts")}
    rows = []
    for size in _SIZES:
        rows += _rows(size, figures[size], figures[_SIZES[0]])
    return rows


def _figures(server: Engine, size: int) -> _Figures:
    with _cohort(server, size) as outbox:
        quiet = _quiet_sweep(outbox)
        claim, claimed = _claims(outbox)
        plan, apply = _moved_deadline(outbox)
        return _Figures(quiet, plan, apply, claim, claimed)


@contextmanager
def _cohort(server: Engine, size: int) -> Iterator[Outbox]:
    with scratch_schema(server, f"bench_{size}") as engine:
        upgrade_schema(engine)
        load_calendar(engine, programs_of(Settings()), now=_LONG_BEFORE)
        with transaction(engine) as connection:
            fill(connection, size, program=_PROGRAM, since=_ARRIVED)
        yield outbox_of(Settings(), engine)


def _swept(outbox: Outbox, until: datetime) -> None:
    with transaction(outbox.engine) as connection:
        record_sweeps(connection, Sweep, until)


def _quiet_sweep(outbox: Outbox) -> float:
    """A whole sweep, found and finished; the median of rounds after two to warm up."""

    def sweep() -> None:
        found = find_due(outbox, now=_QUIET)
        finish_sweep(outbox, now=_QUIET, found_nothing=not found)

    _swept(outbox, _QUIET - timedelta(minutes=5))
    taken = sorted([_timed(sweep) for _ in range(_ROUNDS + 2)][2:])
    return taken[len(taken) // 2]


def _moved_deadline(outbox: Outbox) -> tuple[float, float]:
    """Early action moves by two weeks, a week before it, when many have been reminded: planned exactly, and applied."""
    now = _BUSY + timedelta(hours=1)
    with transaction(outbox.engine) as connection:
        early = [one for one in deadlines_in_force(connection) if one.group.round is Round.EARLY_ACTION]
    moved = [replace(one, stated_date=date(2026, 12, 15)) for one in early if one.stated_date == date(2026, 12, 1)]
    proposal = Proposal(source="benchmark", deadlines=tuple(moved))
    began = time.monotonic()
    plan = plan_calendar(outbox.engine, outbox, proposal, now=now)
    planned = time.monotonic() - began
    began = time.monotonic()
    apply_calendar(outbox.engine, outbox.cadences, plan, by="benchmark", why="benchmark", now=now)
    return planned, time.monotonic() - began


def _claims(outbox: Outbox) -> tuple[float, int]:
    """Everybody who is due at the busiest hour is claimed, up to a hundred thousand, a thousand a transaction."""
    _swept(outbox, _BUSY - timedelta(minutes=5))
    with transaction(outbox.engine) as connection:
        view, span = view_calendar(connection, _BUSY), on_time(outbox, _BUSY)
        points = points_in(outbox.cadences, view, span, turns_in(connection, outbox.cadences, view, span))
        cells = [due_people(outbox, cell, view) for cell in due_cells(points, {})]
    began, settled = time.monotonic(), 0
    for people in cells:
        page = DuePage((), 0)
        while page.through_person_id is not None and settled < _MOST_CLAIMS:
            here = replace(people, after_person_id=page.through_person_id)
            with transaction(outbox.engine) as connection:
                page = next_due_people(connection, here, size=10_000)
            for start in range(0, len(page.person_ids), _PEOPLE_A_CLAIM):
                chosen = replace(here, person_ids=page.person_ids[start : start + _PEOPLE_A_CLAIM])
                with transaction(outbox.engine) as connection:
                    settled += claim_due_people(connection, chosen, lease=outbox.lease, now=_BUSY).settled
    return time.monotonic() - began, settled


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _rows(size: int, of: _Figures, small: _Figures) -> list[Measurement]:
    quiet, ratio = of.quiet * 1000, of.quiet / small.quiet
    per_claim, small_claim = (one.claim / max(one.claimed, 1) * 100_000 for one in (of, small))
    who = f"{size:,} people"
    return [
        Measurement(
            f"a sweep with nothing due, {who}", quiet, "ms", small.quiet * 1000, ratio, "<= 50 ms, <= 2x 10,000",
            quiet <= 50 and ratio <= 2,
        ),
        Measurement(
            f"moving a deadline, planned exactly, {who}", of.plan, "s", small.plan, of.plan / small.plan, "<= 5 s",
            of.plan <= 5,
        ),
        Measurement(
            f"moving a deadline, applied, {who}", of.apply, "s", small.apply, of.apply / small.apply, "<= 1 s",
            of.apply <= 1,
        ),
        Measurement(
            f"100,000 claims at the rate of {of.claimed:,}, {who}", per_claim, "s", small_claim,
            per_claim / small_claim, "<= 2x 10,000", per_claim <= 2 * small_claim,
        ),
    ]  # fmt: skip
