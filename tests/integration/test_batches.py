"""Batches by count, and the rules about whole batches: what is unusual is noticed or stopped, never lost."""

import json
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.factories import DAY, PROGRAM, SEPTEMBER, SIGNUP, T_7, Office
from typer.testing import CliRunner, Result

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.cli import app
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import CHECKOUT, Settings
from enrollment_crm.sources.feeds import Delivery, Feed
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.freshness import deliveries_of
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batch_decisions import BatchFacts, tell_of_stopped_batches
from enrollment_crm.workflows.batches import Validated, validate_pending
from enrollment_crm.workflows.inbox import collect, receive_form
from enrollment_crm.workflows.overview import overview

#: Unmistakable values of made-up people: they must be in no result.
CANARY = "Xerxes"
WHO = ("--by", "Dana", "--why", "the fair was large")
Rows = Iterable[dict[str, str]]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Validator:
    """The real suites, with rules about batches of ten rows and more; a row rule that warns, and one that stops."""
    directory = tmp_path_factory.mktemp("suites") / "expectations"
    shutil.copytree(CHECKOUT / "expectations", directory)
    file = directory / "signups.json"
    suite = json.loads(file.read_text("utf-8"))
    for rule in suite["batch_expectations"]:
        rule["meta"]["minimum_rows"] = 10
    for rule in suite["expectations"]:
        if rule["meta"]["rule"] == "residency_unknown":
            rule["meta"] |= {"severity": "warn"}
        if rule["meta"]["rule"] == "last_name_unreadable":
            rule["meta"] |= {"severity": "stop", "minimum_rows": 10}
    file.write_text(json.dumps(suite), "utf-8")
    return Validator(directory, known_programs=[PROGRAM])


def fair(count: int, *, first: int = 0, **columns: str) -> list[dict[str, str]]:
    """Rows of the fair's file, each of somebody else."""
    row = {"First Name": CANARY, "Residency": "domestic", "Email Consent": "yes", "Entry Term": "fall 2027"}
    return [row | {"Email": f"{CANARY}{first + n}@example.edu"} | columns for n in range(count)]


@pytest.fixture
def take(office: Office, strict: Validator) -> Callable[..., Validated]:
    """Collects a delivery of the fair and judges it."""

    def collect_and_judge(rows: list[dict[str, str]], at: datetime) -> Validated:
        feed = Feed("signups_csv", RecordKind.SIGNUP, lambda: [Delivery(lambda: rows, keep=lambda: None)])
        collect(office.engine, [feed], now=at)
        return validate_pending(
            office.engine,
            strict,
            field_maps_of(Settings()),
            kind=RecordKind.SIGNUP,
            secret=office.outbox.secret,
            now=at,
        )

    return collect_and_judge


@pytest.fixture
def usual(take: Callable[..., Validated]) -> int:
    """Six mornings of twenty rows; the number of the next person."""
    for morning in range(6):
        take(fair(20, first=20 * morning), SEPTEMBER + morning * DAY)
    return 120


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command on the database of the test."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_AS_OF", (SEPTEMBER + 7 * DAY).isoformat())
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 400)
    return lambda *words: CliRunner().invoke(app, list(words))


def newest(run: Any) -> dict[str, Any]:
    batch: dict[str, Any] = json.loads(run("batches", "list", "--json", "--limit", "1").stdout)[0]
    return batch


def test_delivered_is_accepted_and_quarantined_and_duplicates(office: Office, take: Any, run: Any) -> None:
    take([*fair(5), *fair(2), *fair(1, first=9, **{"Email Consent": "no"})], SEPTEMBER)
    batch = newest(run)
    assert [batch[one] for one in ("delivered", "accepted", "quarantined", "duplicates")] == [8, 5, 1, 2]
    take(fair(5), SEPTEMBER + DAY)  # an overlap that brings nothing new: the next batch counts it
    take(fair(6), SEPTEMBER + 2 * DAY)
    batch = newest(run)
    assert [batch[one] for one in ("delivered", "accepted", "quarantined", "duplicates")] == [11, 1, 0, 10]
    assert office.query("SELECT rows_read, new, known FROM delivery ORDER BY id") == [(8, 6, 2), (5, 0, 5), (6, 1, 5)]
    assert overview(office.engine, now=T_7).intake.duplicates == 12


def test_a_post_that_is_sent_twice_is_a_duplicate_of_its_batch(office: Office, strict: Validator, run: Any) -> None:
    for _ in range(2):
        receive_form(office.engine, SIGNUP | {"email": "a@example.edu"}, now=SEPTEMBER)
    validate_pending(
        office.engine,
        strict,
        field_maps_of(Settings()),
        kind=RecordKind.SIGNUP,
        secret=office.outbox.secret,
        now=SEPTEMBER,
    )
    batch = newest(run)
    assert [batch[one] for one in ("source", "delivered", "accepted", "duplicates")] == ["form", 2, 1, 1]


@pytest.mark.parametrize(
    "case",
    [
        (fair(900, first=500), "more than twenty times"),
        (fair(20, first=500, **{"Email Consent": ""}), "more than half of the rows"),
        (fair(20, first=500, **{"Last Name": "broken \x00"}), "20 of 20 rows: The last name holds characters"),
    ],
)
def test_a_stopped_batch_stays_whole_and_says_why(
    office: Office, usual: int, take: Any, run: Any, case: tuple[list[dict[str, str]], str]
) -> None:
    rows, rule = case
    office.load(now=SEPTEMBER + 6 * DAY)
    assert take(rows, SEPTEMBER + 6 * DAY).stopped == 1
    batch = newest(run)
    assert batch["step"] == "stopped"
    assert rule.lower() in batch["remarks"].lower()
    people = office.query("SELECT count(*)::int FROM person")
    office.load(now=SEPTEMBER + 6 * DAY)
    assert office.query("SELECT count(*)::int FROM person") == people
    assert batch["rows_in"] == batch["accepted"] + batch["quarantined"] == len(rows)


def test_a_stop_holds_up_nobody_else(office: Office, usual: int, strict: Validator, take: Any) -> None:
    receive_form(office.engine, SIGNUP | {"email": "a@example.edu"}, now=SEPTEMBER + 6 * DAY)
    assert take(fair(900, first=500), SEPTEMBER + 6 * DAY).stopped == 1
    take(fair(20, first=2000), SEPTEMBER + 7 * DAY)
    office.load(now=SEPTEMBER + 7 * DAY)
    assert office.query("SELECT count(*)::int FROM person WHERE email = 'a@example.edu'") == [1]
    assert office.query(f"SELECT count(*)::int FROM person WHERE email ILIKE '{CANARY}20%'") == [20 + 1]


def test_a_released_batch_is_loaded(office: Office, usual: int, take: Any, run: Any) -> None:
    take(fair(900, first=500), SEPTEMBER + 6 * DAY)
    batch = newest(run)["id"]
    assert run("batches", "release", str(batch), *WHO).exit_code == 0
    office.load(now=SEPTEMBER + 7 * DAY)
    assert newest(run)["step"] == "loaded"
    assert newest(run)["decided_by"] == "Dana"
    assert office.query("SELECT count(*)::int FROM person") == [120 + 900]
    # Who came in the night before is turned by the load: what was missed meanwhile is caught up.
    assert office.query("SELECT count(*)::int FROM interest WHERE changed_at > since") == [900]
    assert run("batches", "release", str(batch), *WHO).exit_code == 1


def test_a_rejected_batch_is_in_the_quarantine_whole(office: Office, usual: int, take: Any, run: Any) -> None:
    take([*fair(900, first=500), *fair(1, first=5000, **{"Email Consent": "no"})], SEPTEMBER + 6 * DAY)
    batch = newest(run)["id"]
    assert run("batches", "reject", str(batch), *WHO).exit_code == 0
    found = newest(run)
    assert [found[one] for one in ("step", "rows_in", "accepted", "quarantined")] == ["rejected", 901, 0, 901]
    rules = office.query("SELECT rule, count(*)::int FROM quarantine GROUP BY rule ORDER BY rule")
    assert rules == [("batch_rejected", 900), ("consent_refused", 1)]
    assert run("quarantine", "replay", "--rule", "batch_rejected", "--by", "Dana").exit_code == 0
    assert office.query("SELECT count(*)::int FROM person") == [120 + 900]
    intake = overview(office.engine, now=T_7).intake
    assert (intake.rows_in, intake.accepted, intake.quarantined) == (1021, 1020, 1)


@pytest.mark.parametrize(
    ("decision", "settled"),
    [("release", ["loaded", 900, 899, 0, 0, 1]), ("reject", ["rejected", 900, 0, 899, 0, 1])],
)
def test_somebody_who_is_erased_goes_from_a_stopped_batch_too(
    office: Office, take: Any, run: Any, decision: str, settled: list[Any]
) -> None:
    for morning in range(6):
        take(fair(20, first=20 * morning), SEPTEMBER + morning * DAY)
    office.load(now=SEPTEMBER + 6 * DAY)
    take(fair(900, first=119, Campaign="again"), SEPTEMBER + 6 * DAY)
    office.erase(f"{CANARY}119@example.edu", at=SEPTEMBER + 6 * DAY)
    batch = newest(run)
    counts = ("step", "delivered", "accepted", "quarantined", "duplicates", "erased")
    assert [batch[one] for one in counts] == ["stopped", 900, 899, 0, 0, 1]
    assert run("batches", decision, str(batch["id"]), *WHO).exit_code == 0
    office.load(now=SEPTEMBER + 7 * DAY)
    batch = newest(run)
    assert [batch[one] for one in counts] == settled
    assert "Erased" in run("batches", "list").stdout


def test_what_is_unusual_is_noticed_and_goes_on(office: Office, usual: int, take: Any, run: Any) -> None:
    take(fair(20, first=500, **{"Entry Term": "spring 2027", "Residency": ""}), SEPTEMBER + 6 * DAY)
    batch = newest(run)
    assert batch["step"] == "validated"
    assert "Noticed: The entry terms are spread unlike" in batch["remarks"]
    assert "Noticed: The answer about residency is blank far more often" in batch["remarks"]


def test_a_small_batch_and_a_first_one_never_trip(usual: int, take: Any, run: Any) -> None:
    take(fair(9, first=500, **{"Email Consent": "", "Entry Term": "spring 2027"}), SEPTEMBER + 6 * DAY)
    assert (newest(run)["step"], newest(run)["remarks"]) == ("validated", "")


def test_a_row_rule_that_warns_rejects_nobody_and_is_counted(office: Office, take: Any, run: Any) -> None:
    assert take(fair(3, Residency="martian"), SEPTEMBER).quarantined == 0
    found = json.loads(run("rules", "--json").stdout)
    (rule,) = [one for one in found if one["rule"] == "residency_unknown"]
    assert (rule["severity"], rule["evaluated"], rule["failed"], rule["trend"]) == ("warn", 3, 3, "steady")


def test_rules_are_shown_by_day_and_name_nobody(office: Office, usual: int, take: Any, run: Any) -> None:
    take([row | {"Email": f"{CANARY} {n}"} for n, row in enumerate(fair(10))], SEPTEMBER + 6 * DAY)
    found = json.loads(run("rules", "--json", "--source", "signups_csv").stdout)
    (rule,) = [one for one in found if one["rule"] == "email_implausible"]
    assert [(one["evaluated"], one["failed"]) for one in rule["days"]] == [(20, 0)] * 6 + [(10, 10)]
    assert rule["trend"] == "rising"
    (volume,) = [one for one in found if one["rule"] == "most_rows_rejected"]
    assert [one["failed"] for one in volume["days"]] == [0] * 6 + [1]
    for words in (
        ["rules"],
        ["rules", "--every"],
        ["rules", "--json"],
        ["batches", "list"],
        ["batches", "list", "--json"],
    ):
        assert CANARY.lower() not in run(*words).output.lower()
    for table in ("batch", "batch_rule", "quarantine", "quarantine_step", "delivery"):
        kept = office.query(f"SELECT row_to_json(t)::text FROM {table} t")
        assert not [one for one in kept if CANARY.lower() in one.lower()]


def test_operations_are_told_once_and_again_where_the_mail_failed(office: Office, usual: int, take: Any) -> None:
    take(fair(900, first=500), SEPTEMBER + 6 * DAY)
    told: list[BatchFacts] = []

    def fail(_: BatchFacts) -> None:
        raise OSError("the relay is away")

    with pytest.raises(OSError, match="relay"):
        tell_of_stopped_batches(office.engine, fail, now=SEPTEMBER + 6 * DAY)
    for _ in range(2):
        tell_of_stopped_batches(office.engine, told.append, now=SEPTEMBER + 6 * DAY)
    assert [one.rows_in for one in told] == [900]


def test_a_stopped_batch_of_applications_keeps_its_feed_from_being_fresh(office: Office) -> None:
    """Whoever is in it may have submitted: nobody must be told that they have not."""
    office.report(at=SEPTEMBER)
    office.change("UPDATE batch SET step = 'stopped'")
    with transaction(office.engine) as connection:
        assert deliveries_of(connection, ["slate"], kind="application") == {}
        connection.exec_driver_sql("INSERT INTO source_delivery (source) VALUES ('slate')")
        assert deliveries_of(connection, ["slate"], kind="application")["slate"].rows_wait
        connection.exec_driver_sql("UPDATE batch SET step = 'loaded'")
        assert not deliveries_of(connection, ["slate"], kind="application")["slate"].rows_wait


def test_a_large_feed_is_not_few_rows_before_it_is_through(
    office: Office, usual: int, take: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged ten rows at a time, a delivery of the usual size is nothing unusual."""
    monkeypatch.setattr("enrollment_crm.workflows.batches._ROWS_A_BATCH", 10)
    take(fair(20, first=500), SEPTEMBER + 6 * DAY + timedelta(hours=1))
    said = json.loads(run("batches", "list", "--json", "--limit", "2").stdout)
    assert [(one["rows_in"], one["remarks"]) for one in said] == [(10, ""), (10, "")]


def test_the_suites_of_the_checkout_know_severities(tmp_path: Path) -> None:
    suites = [json.loads((CHECKOUT / "expectations" / name).read_text("utf-8")) for name in ("signups.json",)]
    severities = {rule["meta"]["severity"] for suite in suites for rule in suite["batch_expectations"]}
    assert severities == {"warn", "stop"}
