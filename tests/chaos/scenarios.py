"""What is done to workers, to the relay and to the database, and what may come of it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.chaos.nursery import settings_of
from tests.chaos.office import T_7, T_14, ChaosOffice, Outcome
from tests.chaos.sink import Behaviour

from enrollment_crm.bootstrap import outbox_of
from enrollment_crm.mail.failpoints import Place
from enrollment_crm.workflows.reminders import send_reminders

#: Kills that are random, over all scenarios together, in a full run.
_RANDOM_KILLS_WITH_LOG, _RANDOM_KILLS_WITHOUT = 640, 240
_KILLS_A_FAILPOINT = 12
#: Places that a worker does not pass often.
_ONCE_A_CLAIM = (Place.BEFORE_CLAIM, Place.AFTER_CLAIM, Place.AFTER_COMMIT)


@dataclass(frozen=True)
class Scenario:
    """One thing that goes wrong, with a relay that has an accept log to ask or without."""

    name: str
    has_log: bool
    play: Callable[[ChaosOffice, "Scenario", float], Outcome]

    @property
    def title(self) -> str:
        """As the table shows it."""
        return f"{self.name}, {'reconciled' if self.has_log else 'without an accept log'}"


def _people(size: float) -> int:
    return max(40, round(3_000 * size))


def random_kills(now: datetime, kills: int) -> Callable[[ChaosOffice, Scenario, float], Outcome]:
    """Two sets of workers on the same cells; one after the other is killed at a random moment."""

    def play(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
        people = office.begin(_people(min(1, size * 2)), now=now)
        each = max(2, round(kills * size / 2))
        orders = office.orders(now=now, has_log=scenario.has_log, kills=each)
        return office.outcome(people, office.wait(office.start([orders, orders])))

    return play


def failpoint(*places: Place, kills: int, latest_passing: int = 1) -> Callable[[ChaosOffice, Scenario, float], Outcome]:
    """Workers are killed at these places in turn, each at a random passing of it."""

    def play(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
        people = office.begin(_people(size / 4), now=T_7)
        orders = office.orders(
            now=T_7,
            has_log=scenario.has_log,
            kills=max(len(places), round(kills * size)),
            failpoints=tuple(place.value for place in places),
            latest_passing=latest_passing,
        )
        return office.outcome(people, office.wait(office.start([orders])))

    return play


def misbehaving(behaviour: Behaviour, share: float) -> Callable[[ChaosOffice, Scenario, float], Outcome]:
    """The relay does this to a share of the messages."""

    def play(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
        people = office.begin(_people(size / 10), now=T_7)
        office.behave(behaviour, share)
        orders = office.orders(now=T_7, has_log=scenario.has_log)
        return office.outcome(people, office.wait(office.start([orders, orders])))

    return play


def database_restarts(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
    """The database is restarted, properly and by a crash in turn, while two sets of workers send."""
    people = office.begin(_people(size), now=T_7)
    orders = office.orders(now=T_7, has_log=scenario.has_log)
    running = office.start([orders, orders])
    for number in range(max(2, round(6 * size))):
        time.sleep(3)
        if all(one.poll() is not None for one in running):
            break
        office.restart_database(crash=number % 2 == 1)
    return office.outcome(people, office.wait(running))


def two_schedulers(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
    """Two whole sweeps side by side: each finds what is due for itself, and sends all of it."""
    people = office.begin(_people(size), now=T_7)
    orders = replace(office.orders(now=T_7, has_log=scenario.has_log, sweeps=True), due=())
    return office.outcome(people, office.wait(office.start([orders, orders])))


def cleared(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
    """The same units are sent once more after they have ended well."""
    people = office.begin(_people(size / 2), now=T_7)
    orders = office.orders(now=T_7, has_log=scenario.has_log)
    office.wait(office.start([orders]))
    return office.outcome(people, office.wait(office.start([orders])))


def outage(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
    """Nothing ran for a day: at its end one message a person goes out, and nobody gets a burst (R6)."""
    now = T_7 + timedelta(hours=4)
    people = office.begin(_people(size / 2), now=now, swept_before=timedelta(hours=24))
    orders = office.orders(now=now, has_log=scenario.has_log)
    outcome = office.outcome(people, office.wait(office.start([orders, orders])))
    readers = [reader for _, reader in office.taken()]
    return replace(outcome, duplicates=len(readers) - len(set(readers)))


def frozen(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
    """Workers are stopped for longer than a lease, and go on as if nothing had happened."""
    people = office.begin(_people(size), now=T_7)
    freezes = max(2, round(12 * size))
    orders = office.orders(now=T_7, has_log=scenario.has_log, freezes=freezes, longest_life_in_seconds=0.2)
    return office.outcome(people, office.wait(office.start([orders, orders])))


def dead_relay_for_others(office: ChaosOffice, scenario: Scenario, size: float) -> Outcome:
    """A sweep in this process while the relay is a tarpit; the rest goes out when it is not any more."""
    people = office.begin(_people(size / 10), now=T_7)
    office.behave(Behaviour.TARPIT)
    outbox = outbox_of(settings_of(office.port, str(office.maildir)), office.engine)
    ended = threading.Timer(2, lambda: office.behave(Behaviour.WELL))
    ended.start()
    send_reminders(outbox, now=T_7)
    ended.join()
    outbox.transport.close()
    orders = office.orders(now=T_7, has_log=scenario.has_log)
    return office.outcome(people, office.wait(office.start([orders])))


def scenarios() -> Iterator[Scenario]:
    """All of them, in the order in which the table shows them."""
    yield Scenario("workers killed at random", True, random_kills(T_7, _RANDOM_KILLS_WITH_LOG))
    yield Scenario("workers killed at random", False, random_kills(T_7, _RANDOM_KILLS_WITHOUT))
    yield Scenario("killed at random, no copy is worth it", False, random_kills(T_14, _RANDOM_KILLS_WITHOUT // 2))
    for has_log in (True, False):
        for place in Place:
            latest = 1 if place in _ONCE_A_CLAIM else 8
            play = failpoint(place, kills=_KILLS_A_FAILPOINT, latest_passing=latest)
            yield Scenario(f"killed at {place}", has_log, play)
    for behaviour in Behaviour:
        if behaviour is not Behaviour.WELL:
            share = 0.05 if behaviour in (Behaviour.LATE, Behaviour.TARPIT) else 0.2
            yield Scenario(f"relay: {behaviour}", True, misbehaving(behaviour, share))
    yield Scenario("relay: a tarpit for two seconds", True, dead_relay_for_others)
    yield Scenario("database restarts and crashes", True, database_restarts)
    yield Scenario("two schedulers side by side", True, two_schedulers)
    yield Scenario("cleared after success", True, cleared)
    yield Scenario("an outage of 24 hours", True, outage)


FROZEN = Scenario("workers frozen past their lease", True, frozen)
