"""Ids travel, people stay: nothing of a person is found outside of the CRM's own tables and the mails that left."""

import csv
import os
import time
from pathlib import Path

import psycopg
import pytest
import requests
from psycopg import sql
from sqlalchemy import make_url
from tests.end_to_end.conftest import eventually, mails_to

from enrollment_crm.domain.facts import Fact
from enrollment_crm.stack.airflow_client import AirflowClient
from enrollment_crm.stack.stack import Stack
from enrollment_crm.storage.engine import connect
from enrollment_crm.workflows.people import merge_people

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

#: Every value of a person holds one of these, whatever road they take.
NAME, ADDRESS, PHONE = "Quetzalzin", "kanarienvogel", "617555019283"
#: The tables that keep what people wrote about themselves, and the mails that left.
MAY_HOLD_PEOPLE = {"person", "inbox", "message", "review"}


def person(road: str) -> dict[str, str]:
    return {
        "first_name": f"{NAME}{road}",
        "last_name": f"{NAME}son",
        "email": f"{ADDRESS}.{road}@example.edu",
        "phone": f"+{PHONE}",
        "country": "BR",
        "residency": "international_outside_us",
        "entry_term": "fall 2027",
        "consent": "yes",
        "consent_text_version": "request-info-1",
        "submission": f"leak-{road}",
    }


def post(stack: Stack, fields: dict[str, str]) -> None:
    headers = {"Accept": "application/json"}
    answer = requests.post(f"{stack.facts.public_url}/request-info", data=fields, headers=headers, timeout=60)
    assert answer.status_code == 202


def drop_rows_that_cannot_be_taken(folder: Path) -> None:
    """An unknown term, an address that is none, a name of 400 letters, a ragged row: each goes to the quarantine."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = ("Email", "First Name", "Last Name", "Phone", "Entry Term", "Email Consent")
    faults = [
        (f"{ADDRESS}.term@example.edu", NAME, NAME, PHONE, "999999", "yes"),
        (f"{ADDRESS} at example", NAME, NAME, PHONE, "fall 2027", "yes"),
        (f"{ADDRESS}.long@example.edu", NAME * 40, NAME, PHONE, "fall 2027", "yes"),
        (f"{ADDRESS}.ragged@example.edu", NAME, NAME, PHONE, "fall 2027", "yes", NAME, ADDRESS),
    ]
    file = folder / "people.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([columns, *faults])
    # What was written a moment ago may still be growing: nobody would read it yet.
    long_ago = time.time() - 60
    os.utime(file, (long_ago, long_ago))


def take_every_road(stack: Stack, mail_directory: Path) -> None:
    for road in ("valid", "merged", "same"):
        post(stack, person(road))
    # No relay can have it, and composing the message fails.
    post(stack, person("refused") | {"email": f"{ADDRESS}\u00e9@example.edu"})
    drop_rows_that_cannot_be_taken(stack.settings.drop_directory / "signups_csv")
    AirflowClient(stack.facts).trigger("intake_signups")
    for road in ("valid", "merged", "same"):
        eventually(lambda road=road: mails_to(mail_directory, person(road)["email"]))  # type: ignore[misc]
    eventually(lambda: count(stack, "SELECT count(*) FROM quarantine") >= 4)
    merge(stack, person("merged")["email"], person("same")["email"])
    client = AirflowClient(stack.facts)
    for dag in ("intake_signups", "intake_applications", "send_reminders"):
        client.trigger(dag)
    eventually(lambda: not client.runs("~", state="running") and not client.runs("~", state="queued"))


def merge(stack: Stack, email: str, into: str) -> None:
    now = stack.settings.as_of
    assert now is not None
    engine = connect(stack.facts.database_url)
    merge_people(engine, email, into, fact=Fact("test", "merge", now))
    engine.dispose()


def count(stack: Stack, question: str) -> int:
    with psycopg.connect(url_of(stack, "crm")) as connection:
        row = connection.execute(question).fetchone()
    return int(row[0]) if row else 0


def url_of(stack: Stack, database: str) -> str:
    url = make_url(stack.facts.database_url).set(drivername="postgresql", database=database)
    return url.render_as_string(hide_password=False)


def tables_that_hold(stack: Stack, database: str, words: tuple[str, ...]) -> set[str]:
    """Tables of which some row holds a word, also in bytes: these are written as hexadecimal digits."""
    spellings = [f"%{one}%" for word in words for one in (word, word.encode().hex())]
    with psycopg.connect(url_of(stack, database)) as connection:
        names = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        question = "SELECT EXISTS (SELECT 1 FROM {table} AS t WHERE t::text ILIKE ANY(%s))"
        return {
            name
            for name in names
            if (row := connection.execute(sql.SQL(question).format(table=sql.Identifier(name)), [spellings]).fetchone())
            and row[0]
        }


def test_nothing_of_a_person_is_found_where_it_does_not_belong(stack: Stack, mail_directory: Path) -> None:
    take_every_road(stack, mail_directory)
    words = (NAME, ADDRESS, PHONE)

    # The search finds what is there: else it would prove nothing.
    assert {"person", "inbox"} <= tables_that_hold(stack, "crm", words)
    # Findings of rules, batches, events and the ledger's keys name nobody, nor does anything of Airflow's: XCom,
    # rendered fields, asset events and their extras, runs, logs.
    allowed = {"person", "person_merge", "inbox", "message", "review", "correction", "person_reference"}
    assert tables_that_hold(stack, "crm", words) <= allowed
    assert tables_that_hold(stack, "airflow", words) == set()

    logs = [file for file in stack.facts.log_directory.rglob("*") if file.is_file()]
    assert len(logs) > 10
    leaking = [f.name for f in logs if any(word.encode() in f.read_bytes() for word in words)]
    assert leaking == []
