"""A batch of signups: loaded together, they come to what they come to one after the other."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.factories import ANA, BEN, HOUR, PROGRAM, SEPTEMBER, SHANGHAI, SIGNUP, Office, fact_at

from enrollment_crm.bootstrap import country_zones_of, field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.people import Contact
from enrollment_crm.settings import Settings
from enrollment_crm.storage.batches import record_batch
from enrollment_crm.storage.engine import rolled_back, transaction
from enrollment_crm.storage.inbox import keep_raw_rows, pending_rows
from enrollment_crm.storage.people import upsert_person
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.people import merge_people
from enrollment_crm.workflows.signups import load_signups

#: What the rows of a made-up batch say: few values, so that they meet.
CHOICES: Mapping[str, Sequence[str]] = {
    "Email": (ANA, "ANA@example.edu", BEN, "merged@example.edu", "new@example.edu", "New@Example.edu", "x@exämple.org"),
    "First Name": ("", "Ana", "Anna"),
    "Phone": ("", "+1 617 555 0100"),
    "Country": ("", "US", "CN", "Atlantis"),
    "Time Zone": ("", SHANGHAI, "Europe/Berlin", "Mars/Olympus"),
    "Program": ("", PROGRAM, "another"),
    "Entry Term": ("", "fall 2027", "spring 2028", "whenever"),
    "Residency": ("", "domestic", "Not sure", "from afar"),
    "Citizenship": ("", "U.S. Citizen", "Temporary Resident"),
    "Prep Session": ("", "", "prep-1", "nowhere"),
    "Page": ("", "tab\tand \\ backslash", "https://landing.example/fair"),
    "Submission ID": ("", "s-1", "s-2", "s-3"),
    "Submitted At": ("", "2026-09-02T10:00:00-04:00", "2026-09-03T10:00:00-04:00", "2026-12-01T00:00:00-05:00"),
}  # fmt: skip
#: Everything that intake writes, without the numbers that the database hands out.
TABLES: Mapping[str, str] = {
    "person": "email, email_key, first_name, last_name, phone, country, stated_time_zone, zone, arrived_at, "
    "needs_routing, paused_until, merged_into_id IS NULL",
    "interest": "program, entry_term, since, changed_at, asked_for_information",
    "residency_evidence": "source, said_at, stated, citizenship, holds_visa, address_country",
    "consent": "source, submission, text_version, page, given_at, basis, runs_out_at",
    "unsubscription": "topic, at, lifted_at",
    "registration": "prep_session_id, registered_at",
    "review": "about, detail, opened_at, closed_at",
    "event": "kind, occurred_at, recorded_at, inbox_id",
    "cover": "kind, withheld, released",
}
NOW = SEPTEMBER + timedelta(days=10)


def made_up(seed: int, number: int) -> list[dict[str, str]]:
    chance = random.Random(seed)
    rows = [{name: chance.choice(values) for name, values in CHOICES.items()} for _ in range(number)]
    return [row | {"Email Consent": "yes", "Campaign": str(number)} for number, row in enumerate(rows)]


def keep(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The rows reach the inbox an hour apart, two at a time; ids in the order in which they happened."""
    with transaction(engine) as connection:
        for number, row in enumerate(rows):
            at = SEPTEMBER + HOUR * (number // 2)
            keep_raw_rows(connection, [row], source="signups_csv", kind="signup", received_at=at)
        in_order = text(
            "SELECT id FROM inbox ORDER BY coalesce(CAST(nullif(raw ->> 'Submitted At', '') AS timestamptz), "
            "received_at), id"
        )
        return list(connection.execute(in_order).scalars())


def load(engine: Engine, ids: Sequence[int]) -> None:
    """Accept these rows, and load them as one batch."""
    with transaction(engine) as connection:
        record_batch(connection, kind="signup", accepted=ids, rejected=[], tallies=[], now=NOW)
    zones = country_zones_of(Settings())
    load_signups(engine, field_maps_of(Settings()), country_zones=zones, default_program=PROGRAM, now=NOW)


def together(engine: Engine, ids: Sequence[int]) -> None:
    load(engine, ids)


def one_by_one(engine: Engine, ids: Sequence[int]) -> None:
    for one in ids:
        load(engine, [one])


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every table, each row under the address of its person, in the order in which it was written."""
    with transaction(engine) as connection:
        return {
            table: [
                tuple(row)
                for row in connection.execute(
                    text(f"SELECT email_key, {columns} FROM person ORDER BY 1")
                    if table == "person"
                    else text(
                        f"SELECT p.email_key, {', '.join(f't.{one}' for one in columns.split(', '))} FROM {table} t "
                        f"JOIN person p ON p.id = t.person_id ORDER BY 1, {'t.id' if table not in UNNUMBERED else 2}"
                    )
                )
            ]
            for table, columns in TABLES.items()
        }


UNNUMBERED = ("unsubscription", "registration")


@contextmanager
def september(office: Office) -> Iterator[Engine]:
    """Ana and Ben are known, a third record was merged into Ben's, both have withdrawn, Ben pauses; gone at the end."""
    with rolled_back(office.engine) as engine:
        here = replace(office, outbox=replace(office.outbox, engine=engine))
        people = [here.sign_up(email, at=SEPTEMBER) for email in (ANA, BEN, "merged@example.edu")]
        merge_people(engine, "merged@example.edu", BEN, fact=fact_at(SEPTEMBER))
        for person, at in zip(people[:2], (SEPTEMBER + HOUR, SEPTEMBER + HOUR * 30), strict=True):
            unsubscribe(engine, person, "*", now=at)
            here.change(
                "INSERT INTO cover (person_id, kind, due_at, withheld, recorded_at) "
                "VALUES (:person, 'welcome', now(), 'unsubscribed', now())",
                person=person,
            )
        here.change("UPDATE person SET paused_until = '2035-01-01' WHERE id = :ben", ben=people[1])
        yield engine


def outcome(
    office: Office, rows: Sequence[Mapping[str, Any]], way: Callable[[Engine, Sequence[int]], None]
) -> dict[str, list[tuple[Any, ...]]]:
    with september(office) as engine:
        with transaction(engine) as connection:
            connection.execute(text("UPDATE inbox SET raw = '{}', received_at = '2000-01-01', outcome = 'accepted'"))
            before = connection.execute(text("SELECT max(id) FROM inbox")).scalar_one()
        ids = [one for one in keep(engine, rows) if one > before]
        way(engine, ids)
        whole = content(engine)
        whole["event"] = [(*row[:-1], row[-1] - before) for row in whole["event"]]
        return whole


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))])
def test_a_batch_comes_to_what_its_rows_come_to_one_after_the_other(office: Office, seed: int) -> None:
    rows = made_up(seed, 16)
    assert outcome(office, rows, together) == outcome(office, rows, one_by_one)


@pytest.mark.slow
@pytest.mark.usefixtures("session")
def test_a_batch_of_many_does_too(office: Office) -> None:
    """So many that they are not sent as arrays any more."""
    rows = [row | {"Email": f"{number}{row['Email']}"} for number, row in enumerate(made_up(99, 230))]
    rows += made_up(100, 40)
    assert outcome(office, rows, together) == outcome(office, rows, one_by_one)


@pytest.mark.usefixtures("session")
def test_the_made_up_batches_come_to_everything_that_there_is_to_decide(office: Office) -> None:
    """Lest they agree on nothing."""
    whole = outcome(office, [row for seed in range(12) for row in made_up(seed, 16)], together)
    assert {row[1] for row in whole["registration"]} == {"prep-1"}
    assert {row[1] for row in whole["review"]} == {"unmapped_value", "prep_session"}
    assert any(row[-1] for row in whole["cover"])
    assert not any(row[-2] for row in whole["person"])
    assert any(row[-1] is not None for row in whole["unsubscription"])
    assert {row[1] for row in whole["interest"]} == {PROGRAM, "another"}
    assert len(whole["person"]) == 5
    # What comes by the address of a record that was merged away is kept with it, for the day on which it is undone.
    assert [row for row in whole["event"] if row[0] == "merged@example.edu" and row[-1] > 0]


def test_a_row_that_nobody_can_use_does_not_harm_the_others(office: Office) -> None:
    for email in (ANA, "", BEN):
        office.fill_in(email, at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    assert office.query("SELECT email FROM person ORDER BY 1") == [ANA, BEN]
    ((rule, reason),) = office.query("SELECT rule, reason FROM quarantine")
    assert (rule, reason) == ("usable", "The row has no email: validate it before it is loaded.")
    assert office.query("SELECT accepted, quarantined FROM batch") == [(2, 1)]


def test_who_is_made_known_by_somebody_else_meanwhile_is_found(office: Office) -> None:
    """The newcomer of a batch takes a seat in a session at the same moment, in a transaction that commits first."""
    office.fill_in(ANA, at=SEPTEMBER)
    zones = country_zones_of(Settings())
    with ThreadPoolExecutor(1) as pool:
        with transaction(office.engine) as connection:
            contact = replace(Contact.of_address(ANA, time_zone=SHANGHAI), phone="1")
            upsert_person(connection, contact, country_zones=zones, now=SEPTEMBER)
            loading = pool.submit(office.load, now=SEPTEMBER + HOUR, route=False)
            until_somebody_waits(office)
        loading.result()
    assert office.query("SELECT email, phone, first_name, zone FROM person") == [(ANA, "1", "Ana", SIGNUP["time_zone"])]
    assert office.query("SELECT count(*) FROM event") == [1]


def until_somebody_waits(office: Office) -> None:
    for _ in range(500):
        if office.query("SELECT 1 FROM pg_locks WHERE NOT granted"):
            return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def test_a_delivery_of_more_rows_than_are_kept_at_once(engine: Engine) -> None:
    """They are read as they are kept; the same rows again are recognised across the pieces."""
    rows = ({"Email": f"p{number % 20_001}@example.edu"} for number in range(20_003))
    with transaction(engine) as connection:
        kept = keep_raw_rows(connection, rows, source="signups_csv", kind="signup", received_at=SEPTEMBER)
    assert (kept.new, kept.known) == (20_001, 2)
    with transaction(engine) as connection:
        assert len(pending_rows(connection, kind=RecordKind.SIGNUP.value, limit=30_000)) == 20_001
