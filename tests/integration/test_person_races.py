"""Merging and erasing beside a loader, a judge and a claim: each on a connection of its own."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.factories import ANA, BEN, DAY, HOUR, SEPTEMBER, T_14, T_30, Office, fact_at

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.staff_actions import StaffAction
from enrollment_crm.settings import Settings
from enrollment_crm.storage.answers import claim_owed_answers
from enrollment_crm.storage.batches import record_batch, wait_for_other_loaders
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.ledger import messages_with_readers
from enrollment_crm.storage.tombstones import nothing_is_erased_meanwhile
from enrollment_crm.storage.transmission import FrozenMessage, begin_transmissions
from enrollment_crm.workflows.loading import AcceptedRows, Alone, TakeIn, load_batches
from enrollment_crm.workflows.people import merge_people, unmerge
from enrollment_crm.workflows.suppressions import add_suppression

SINCE = SEPTEMBER + DAY


def until_somebody_waits(office: Office) -> None:
    for _ in range(1_000):
        if office.query("SELECT 1 FROM pg_locks WHERE NOT granted"):
            return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def beside(office: Office, hold: Callable[[Any], object], work: Callable[[], object]) -> None:
    """While one transaction holds what it holds, the other begins, waits, and goes on when it has committed."""
    with ThreadPoolExecutor(1) as pool:
        with transaction(office.engine) as connection:
            hold(connection)
            working: Future[object] = pool.submit(work)
            until_somebody_waits(office)
            assert not working.done()
        working.result(timeout=20)


@pytest.mark.parametrize("what", ["merge", "unmerge", "erase"])
def test_whoever_changes_people_waits_for_a_loader(office: Office, what: str) -> None:
    for email in (ANA, BEN):
        office.sign_up(email)
    if what == "unmerge":
        office.merge(BEN, ANA, at=SINCE)
    work: dict[str, Callable[[], object]] = {
        "merge": partial(merge_people, office.engine, BEN, ANA, fact=fact_at(SINCE)),
        "unmerge": partial(unmerge, office.engine, BEN, action=StaffAction("dean", "", SINCE)),
        "erase": partial(office.erase, BEN, at=SINCE),
    }
    beside(office, wait_for_other_loaders, work[what])


def test_an_erasure_waits_for_rows_that_are_being_judged(office: Office) -> None:
    """And finds them afterwards: nobody is accepted between the look into the inbox and the tombstone."""
    office.sign_up(ANA)
    beside(office, nothing_is_erased_meanwhile, partial(office.erase, ANA, at=SINCE))


def test_an_erasure_waits_for_rows_that_were_read_to_be_loaded(office: Office) -> None:
    """Before it looks for what there is: else rows that are in memory could bring back a person who is gone."""
    office.sign_up(ANA)
    again = office.fill_in(ANA, at=SINCE, entry_term="spring 2028")
    with transaction(office.engine) as connection:
        record_batch(connection, kind=RecordKind.SIGNUP.value, accepted=[again], rejected=[], tallies=[], now=SINCE)
    seen: list[str] = []
    erasing: list[Future[None]] = []

    with ThreadPoolExecutor(1) as pool:

        def load_rows(_: Connection, rows: AcceptedRows, alone: Alone) -> TakeIn:
            erasing.append(pool.submit(office.erase, ANA, at=SINCE))
            until_somebody_waits(office)
            seen.extend(office.query("SELECT locktype FROM pg_locks WHERE NOT granted"))
            return list

        load_batches(office.engine, field_maps_of(Settings()), load_rows, kind=RecordKind.SIGNUP, now=SINCE)
        erasing[0].result(timeout=20)
    assert seen == ["advisory"]
    assert office.query("SELECT count(*) FROM person WHERE erased_at IS NOT NULL") == [1]


def test_a_loader_and_merges_side_by_side_lose_nothing(office: Office) -> None:
    """Signups by both addresses while the two are merged and divided again and again."""
    for email in (ANA, BEN):
        office.sign_up(email)

    def signups() -> None:
        for number in range(12):
            email = (ANA, BEN)[number % 2]
            office.fill_in(email, at=SEPTEMBER + HOUR * (number + 1), entry_term=f"fall {2026 + number // 2}")
            office.load(now=SEPTEMBER + HOUR * (number + 1))

    def merges() -> None:
        for number in range(5):
            at = SEPTEMBER + HOUR * number + timedelta(minutes=30)
            merge_people(office.engine, BEN, ANA, fact=fact_at(at))
            unmerge(office.engine, BEN, action=StaffAction("dean", "", at))

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(signups), pool.submit(merges)]:
            done.result(timeout=60)
    office.load(now=SEPTEMBER + DAY)
    for email in (ANA, BEN):
        terms = "SELECT entry_term FROM interest WHERE person_id = :id AND copied_from IS NULL ORDER BY 1"
        own = office.query(terms, id=office.person(email))
        assert own == sorted({"fall 2027", *(f"fall {2026 + number}" for number in range(6))})
    assert office.query("SELECT count(*) FROM interest WHERE copied_from IS NOT NULL") == [0]
    assert office.query("SELECT sum(rows_in) - sum(accepted) FROM batch") == [0]


def claimed(office: Office) -> list[int]:
    """Welcomes of Ben that a worker has claimed and not sent."""
    with transaction(office.engine) as connection:
        claim = claim_owed_answers(
            connection, MessageKind.WELCOME, topic="x", limit=9, lease=timedelta(minutes=15), now=SEPTEMBER
        )
    return list(claim.message_ids)


def test_r7_whoever_puts_an_address_on_the_list_waits_for_a_claim(office: Office) -> None:
    """When staff are told that it stands there, no claim that has not seen it is still to be committed."""
    office.sign_up(BEN)

    def hold(connection: Any) -> None:
        lease = timedelta(minutes=15)
        claim_owed_answers(connection, MessageKind.WELCOME, topic="x", limit=9, lease=lease, now=SEPTEMBER)

    beside(office, hold, partial(add_suppression, office.engine, BEN, by="ops", why="asked", now=SEPTEMBER))


def test_a_worker_that_has_claimed_and_not_begun_sends_nothing_after_a_merge(office: Office) -> None:
    office.sign_up(BEN)
    ids = claimed(office)
    with transaction(office.engine) as connection:
        (message,) = messages_with_readers(connection, ids)
    office.sign_up(ANA)
    office.merge(BEN, ANA, at=SINCE)
    with transaction(office.engine) as connection:
        frozen = FrozenMessage(message, "<1@x>", b"x", None)
        assert begin_transmissions(connection, [frozen], lease=timedelta(minutes=15)) == frozenset()
    assert office.answer(MessageKind.WELCOME, SINCE)["accepted"] == 1
    assert office.relay.recipients() == [ANA]


def test_a_worker_that_has_claimed_and_not_begun_sends_nothing_after_an_erasure(office: Office) -> None:
    """Nor writes the name that it still remembers back into the ledger; what has begun to leave is only blanked."""
    office.sign_up(BEN)
    ids = claimed(office)
    with transaction(office.engine) as connection:
        (message,) = messages_with_readers(connection, ids)
    office.erase(BEN, at=SINCE)
    with transaction(office.engine) as connection:
        frozen = FrozenMessage(message, "<1@x>", b"To: Ben", None)
        assert begin_transmissions(connection, [frozen], lease=timedelta(minutes=15)) == frozenset()
    assert office.query("SELECT state, withheld, content IS NULL FROM message") == [("withheld", "erased", True)]


def test_what_is_under_way_when_two_are_merged_counts_as_sent(office: Office) -> None:
    """The merge waits for the worker that is just beginning, and then knows that it has begun."""
    office.sign_up(BEN)
    ids = claimed(office)
    office.sign_up(ANA)

    def hold(connection: Any) -> None:
        (message,) = messages_with_readers(connection, ids)
        frozen = FrozenMessage(message, "<1@x>", b"x", None)
        assert begin_transmissions(connection, [frozen], lease=timedelta(minutes=15)) == frozenset(ids)

    beside(office, hold, partial(merge_people, office.engine, BEN, ANA, fact=fact_at(SINCE)))
    office.load(now=SINCE)
    assert office.answer(MessageKind.WELCOME, SINCE).get("accepted") is None
    covers = office.query("SELECT withheld FROM cover WHERE person_id = :id", id=office.person(ANA))
    assert covers == ["already_sent"]
    assert office.query("SELECT state FROM message") == ["transmitting"]


def test_a_sweep_beside_a_merge_writes_to_nobody_twice(office: Office) -> None:
    for number in range(6):
        office.sign_up(f"a{number}@example.edu")
        office.sign_up(f"b{number}@example.edu")

    def merges() -> None:
        for number in range(6):
            merge_people(office.engine, f"b{number}@example.edu", f"a{number}@example.edu", fact=fact_at(T_30))

    with ThreadPoolExecutor(2) as pool:
        merging, sweeping = pool.submit(merges), pool.submit(office.sweep, T_30)
        merging.result(timeout=60)
        sweeping.result(timeout=60)
    office.load(now=T_30 + HOUR)
    office.live(T_30 + HOUR, T_14)
    recipients = office.relay.recipients()
    for number in range(6):
        for email, most in ((f"a{number}@example.edu", 2), (f"b{number}@example.edu", 1)):
            assert recipients.count(email) <= most
        assert recipients.count(f"a{number}@example.edu") >= 1
