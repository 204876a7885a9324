"""A rehearsal: a whole admission cycle under a virtual clock, by the workflows that run every day.

The clock jumps from one instant at which something happens or is due to the next. At each, what happened is taken in
first, then people are answered, then a sweep runs: the facts of an instant come before its points (R5).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.scenarios import FactKind, Scenario, ScenarioFact
from enrollment_crm.domain.sweeps import Sweep
from enrollment_crm.storage.deadlines import Approval, put_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.rehearsal import addresses_of_people, empty_tables
from enrollment_crm.storage.sweeps import record_sweeps
from enrollment_crm.workflows.answers import send_answers
from enrollment_crm.workflows.applications import load_applications
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.rehearsal_results import RehearsalResult, result_of
from enrollment_crm.workflows.rehearsed_facts import FactDesk, first_delivery
from enrollment_crm.workflows.reminders import send_reminders
from enrollment_crm.workflows.routing import route_people
from enrollment_crm.workflows.signups import load_signups
from enrollment_crm.workflows.upcoming import next_instant

if TYPE_CHECKING:
    from enrollment_crm.validation.batches import Validator

#: How many threads a rerun uses: what ran runs again side by side.
_SIDE_BY_SIDE = 3
#: Dates are in force long before anything happens.
_LONG_BEFORE = timedelta(days=1_000)
_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class RehearsalParts:
    """What a rehearsal needs beside its scenario: the outbox records instead of sending."""

    outbox: Outbox
    validator: "Validator"
    field_maps: Mapping[str, FieldMap]
    country_zones: Mapping[str, str]


def rehearse(scenario: Scenario, parts: RehearsalParts) -> RehearsalResult:
    """Run a scenario from its start to its end in a database that is emptied first.

    Raises:
        ScenarioInvalid: a fact says what cannot be.
    """
    rehearsal = Rehearsal(scenario, parts)
    rehearsal.prepare()
    for instant in rehearsal.instants():
        rehearsal.live(instant)
    return rehearsal.result()


class Rehearsal:
    """A cycle that is rehearsed step by step: `prepare`, then `live` at each of its `instants`, then the `result`."""

    def __init__(self, scenario: Scenario, parts: RehearsalParts) -> None:
        self._scenario, self._parts, self._outbox = scenario, parts, parts.outbox
        self._engine = parts.outbox.engine
        self._desk = FactDesk(
            self._engine, self._outbox.cadences, parts.country_zones, parts.field_maps, self._outbox.secret
        )
        self._outages = [
            (fact.at, datetime.fromisoformat(str(fact.fields["until"])))
            for fact in scenario.facts
            if fact.kind is FactKind.OUTAGE
        ]
        self._waiting = sorted(scenario.facts, key=lambda fact: (self._read_at(fact.at), fact.at, fact.index))
        #: Person -> address, also of those whose data has been erased since. pii.
        self._addresses: dict[int, str] = {}

    def prepare(self) -> None:
        """An empty database, with the dates of every term that the scenario names in force."""
        start = self._scenario.start
        approval = Approval(by="configuration", at=start - _LONG_BEFORE, source="rehearsal")
        with transaction(self._engine) as connection:
            empty_tables(connection)
            for program in self._outbox.programs.values():
                for term in self._scenario.entry_terms():
                    put_in_force(connection, program.deadlines_for(term), approval)
        self._swept(start - _A_MOMENT)

    def instants(self) -> Iterator[datetime]:
        """Every instant at which something happens or is due, in order."""
        now = self._scenario.start - _A_MOMENT
        while True:
            fact_at = self._read_at(self._waiting[0].at) if self._waiting else None
            due_at = self._next_due(now, min(filter(None, [fact_at, self._scenario.end])))
            following = min((one for one in (fact_at, due_at) if one), default=None)
            if following is None or following > self._scenario.end:
                return
            if not any(began <= following - _A_MOMENT < ended for began, ended in self._outages):
                self._swept(following - _A_MOMENT)
            now = following
            yield now

    def _swept(self, until: datetime) -> None:
        """Sweeps went on all the time and found nothing due, as they do every five minutes."""
        with transaction(self._engine) as connection:
            record_sweeps(connection, Sweep, until)

    def _next_due(self, now: datetime, until: datetime) -> datetime | None:
        with transaction(self._engine) as connection:
            due = next_instant(connection, self._outbox.cadences, Span(now, until)) if until > now else None
        return self._read_at(due) if due else None

    def _read_at(self, instant: datetime) -> datetime:
        """When something of this instant is looked at: nothing runs during an outage."""
        for began, ended in sorted(self._outages):
            if began <= instant < ended:
                instant = ended
        return instant

    def live(self, now: datetime) -> None:
        """One instant: what happened, answers, a sweep; and again as often as the scenario says."""
        reruns = self.take_facts(now)
        answer_and_sweep(self._outbox, now)
        if reruns:
            with ThreadPoolExecutor(min(reruns, _SIDE_BY_SIDE)) as pool:
                for done in [pool.submit(self._run_again, now) for _ in range(reruns)]:
                    done.result()

    def take_facts(self, now: datetime) -> int:
        """Take in what has happened by now; gives how often everything is to run again."""
        reruns = 0
        while self._waiting and self._read_at(self._waiting[0].at) <= now:
            fact = self._waiting.pop(0)
            if fact.kind is FactKind.RERUN:
                reruns += int(fact.fields.get("times", 1))
            elif fact.kind is not FactKind.OUTAGE:
                self._take(first_delivery(fact, self._scenario.facts), now)
        return reruns

    def _take(self, fact: ScenarioFact, now: datetime) -> None:
        if fact.kind is FactKind.ERASURE:
            self._remember_addresses()
        self._desk.take(fact, now=now)
        self._take_in(now)

    def _take_in(self, now: datetime) -> None:
        parts, outbox = self._parts, self._outbox
        default = outbox.default_program
        for kind, load in ((RecordKind.SIGNUP, load_signups), (RecordKind.APPLICATION, load_applications)):
            judge = partial(validate_pending, self._engine, parts.validator, parts.field_maps, kind=kind)
            if judge(secret=outbox.secret, now=now).rows_in:
                load(
                    self._engine, parts.field_maps, country_zones=parts.country_zones, default_program=default, now=now
                )
        route_people(self._engine, outbox.programs, default_program=default, now=now)

    def _run_again(self, now: datetime) -> None:
        self._take_in(now)
        answer_and_sweep(replace(self._outbox), now)

    def _remember_addresses(self) -> None:
        with transaction(self._engine) as connection:
            self._addresses |= addresses_of_people(connection)

    def result(self) -> RehearsalResult:
        """What the ledger says at the end."""
        self._remember_addresses()
        with transaction(self._engine) as connection:
            return result_of(connection, self._scenario.id, self._addresses, self._desk)


def answer_and_sweep(outbox: Outbox, now: datetime) -> None:
    """What the DAGs send at one instant: answers, then a sweep."""
    for kind in (MessageKind.WELCOME, MessageKind.APPLICATION_RECEIVED):
        send_answers(outbox, kind, now=now)
    send_reminders(outbox, now=now)
