"""The quarantine, as staff work with it: ranked, corrected, replayed as of the time when it came, discarded."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, MINUTE, SEPTEMBER, T_1, T_7, T_14, Office
from tests.integration.test_person_races import until_somebody_waits
from typer.testing import CliRunner, Result

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.cli import app
from enrollment_crm.domain.batches import InboxOutcome
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.settings import Settings
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows, settle_rows
from enrollment_crm.storage.quarantine import Selection, lock_entries, take_out
from enrollment_crm.validation.batches import Validator
from enrollment_crm.workflows.batches import validate_pending
from enrollment_crm.workflows.overview import overview

WHO = ("--by", "Dana", "--why", "asked the fair")
CSV_ROW = {
    "Email": ANA,
    "First Name": "Ana",
    "Residency": "domestic",
    "Email Consent": "yes",
    "Entry Term": "fall 2027",
}


@pytest.fixture
def judge(office: Office, validator: Validator) -> Callable[..., None]:
    """Puts rows of the fair's file into the inbox and judges them, by the real rules."""

    def keep_and_judge(*rows: dict[str, str], at: datetime) -> None:
        with transaction(office.engine) as connection:
            keep_raw_rows(connection, rows, source="signups_csv", kind=RecordKind.SIGNUP.value, received_at=at)
        validate_pending(
            office.engine,
            validator,
            field_maps_of(Settings()),
            kind=RecordKind.SIGNUP,
            secret=office.outbox.secret,
            now=at,
        )

    return keep_and_judge


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the database of the test, at an instant."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 400)

    def command(*words: str, at: datetime = T_7) -> Result:
        monkeypatch.setenv("CRM_AS_OF", at.isoformat())
        return CliRunner().invoke(app, list(words))

    return command


def listed(run: Any, *words: str, at: datetime = T_7) -> list[dict[str, Any]]:
    result = run("quarantine", "list", "--json", *words, at=at)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_rows_are_ranked_by_what_their_people_miss_first(judge: Any, run: Any) -> None:
    judge(
        CSV_ROW | {"Entry Term": "fall 2027", "Email": "no address"},
        CSV_ROW | {"Entry Term": "spring 2027", "Residency": "domestic", "Email": "none either"},
        CSV_ROW | {"Entry Term": "spring 2020", "Email": "too late"},
        CSV_ROW | {"Entry Term": "Herbst 27", "Residency": ""},
        at=T_14,
    )
    rows = listed(run, at=datetime.fromisoformat("2026-10-10T12:00:00+00:00"))
    assert [one["inbox_id"] for one in rows] == [4, 1, 2, 3]
    assert rows[0]["missed"]["about"] == (
        "final spring 2027, 14d before 2026-11-01 (the earliest, the row names no term)"
    )
    assert (rows[0]["column"], rows[0]["value_class"]) == ("entry_term", "text of 9 characters")
    assert rows[1]["missed"]["about"] == "early action fall 2027, 30d before 2026-12-01"
    assert rows[3]["missed"] is None


def test_the_list_shows_no_value_and_filters_and_groups(judge: Any, run: Any) -> None:
    canary = "Xerxes"
    judge(
        CSV_ROW | {"Email": f"{canary} one", "First Name": canary, "Phone": canary},
        CSV_ROW | {"Email": f"{canary} two"},
        CSV_ROW | {"Email Consent": ""},
        at=T_14,
    )
    judge(CSV_ROW | {"Email Consent": "no"}, at=T_7)
    for words in ([], ["--by", "reason"], ["--json"], ["--json", "--by", "reason"]):
        result = run("quarantine", "list", *words)
        assert result.exit_code == 0
        assert canary not in result.output
    groups = listed(run, "--by", "reason")
    assert [(one["rule"], one["rows"]) for one in groups] == [
        ("email_implausible", 2),
        ("consent_missing", 1),
        ("consent_refused", 1),
    ]
    assert len(listed(run, "--rule", "email_implausible")) == 2
    assert len(listed(run, "--since", T_7.isoformat())) == 1
    assert listed(run, "--source", "slate") == []
    assert canary in run("quarantine", "show", "1").output


@pytest.mark.parametrize(
    "words",
    [
        ("quarantine", "list"),
        ("quarantine", "replay", "--by", "Dana"),
        ("batches", "list"),
        ("rules",),
    ],
)
def test_a_source_that_is_misspelt_is_no_empty_list(judge: Any, run: Any, words: tuple[str, ...]) -> None:
    judge(CSV_ROW | {"Email Consent": "no"}, at=T_14)
    result = run(*words, "--source", "signup_csv")
    assert result.exit_code == 2
    assert "signups_csv" in result.output


@pytest.mark.parametrize("words", [("list",), ("list", "--by", "reason", "--json"), ("replay", "--by", "Dana")])
def test_a_rule_that_is_misspelt_is_no_empty_list(judge: Any, run: Any, words: tuple[str, ...]) -> None:
    judge(CSV_ROW | {"Email Consent": "no"}, at=T_14)
    result = run("quarantine", *words, "--rule", "consent_refusd")
    assert result.exit_code == 2
    said = " ".join(result.output.replace("│", " ").split())
    assert "no such rule: known are" in said
    assert "consent_refused" in said
    for known in ("email_missing", "usable", "source_known", "batch_rejected"):
        assert run("quarantine", "list", "--rule", known).exit_code == 0


def test_a_row_is_shown_whole_and_a_terminal_acts_on_nothing_in_it(judge: Any, run: Any) -> None:
    long = "N" * 900
    judge(CSV_ROW | {"First Name": long, "\x1b[31mColumn": "x", DAMAGE_NOTE: "2 cells under 3 headings"}, at=T_14)
    shown = run("quarantine", "show", "1").output
    assert shown.count("N") >= 2 * len(long)
    assert "\x1b[31m" not in shown
    assert "2 cells under 3 headings" in run("quarantine", "list").output


def test_one_field_is_fixed_and_the_row_stays_as_it_came(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Entry Term": "Herbst 27"}, at=T_14)
    assert run("quarantine", "fix", "1", "--set", "entry_term=Fall 2027", *WHO).exit_code == 0
    assert listed(run)[0]["corrected"] == ["entry_term"]
    result = run("quarantine", "replay", "1", "--by", "Dana", "--json")
    assert json.loads(result.stdout)["judge again"] == {"rows": 1, "accepted": 1, "quarantined": 0}
    assert office.query("SELECT raw->>'Entry Term' FROM inbox") == ["Herbst 27"]
    assert office.query("SELECT program, entry_term FROM interest") == [
        ("ms-advanced-intelligent-manufacturing", "fall 2027")
    ]
    assert listed(run) == []
    assert office.query("SELECT step, by, why, inbox_id, field, rule FROM quarantine_step ORDER BY id") == [
        ("corrected", "Dana", "asked the fair", 1, "entry_term", "entry_term_unknown"),
        ("replayed", "Dana", "", 1, "", "entry_term_unknown"),
    ]


def test_what_was_done_can_be_looked_up_once_a_row_is_accepted(judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Entry Term": "Herbst 27"}, CSV_ROW | {"Email": BEN}, at=T_14)
    run("quarantine", "fix", "1", "--set", "entry_term=fall 2027", *WHO)
    run("quarantine", "replay", "1", "--by", "Dana")
    shown = run("quarantine", "show", "1")
    assert shown.exit_code == 0
    assert "asked the fair" in shown.output
    trail = json.loads(run("quarantine", "show", "1", "--json").stdout)["trail"]
    assert [(one["step"], one["by"]) for one in trail] == [("corrected", "Dana"), ("replayed", "Dana")]
    assert run("quarantine", "show", "2").exit_code == 1


def test_a_replayed_row_counts_since_it_came_and_catches_up_what_it_missed(
    office: Office, judge: Any, run: Any
) -> None:
    """It came two weeks before the date and is mended two days before: R5 counts it in, R6 sends the newest point."""
    judge(CSV_ROW | {"Entry Term": "Herbst 27"}, at=T_14)
    office.sweep(T_14)
    office.sweep(T_7)
    mended = T_7 + 2 * DAY
    run("quarantine", "fix", "1", "--set", "entry_term=fall 2027", *WHO, at=mended)
    run("quarantine", "replay", "--all", "--by", "Dana", at=mended)
    assert office.query("SELECT since FROM interest") == [T_14]
    office.load(now=mended)
    office.answer(MessageKind.WELCOME, mended)
    office.live(mended, T_1 + HOUR)
    assert office.sent() == ["11-26T15:00Z 2026-12-01 7d caught up", "11-30T15:00Z 2026-12-01 1d"]


def test_a_value_gets_a_meaning_for_all_rows_and_for_those_to_come(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Entry Term": "Herbst 27"}, CSV_ROW | {"Email": BEN, "Entry Term": "HERBST  27"}, at=T_14)
    fixed = run("quarantine", "fix", "--source", "signups_csv", "--value", "entry_term", "Herbst 27=fall 2027", *WHO)
    assert fixed.exit_code == 0, fixed.output
    assert json.loads(run("quarantine", "meanings", "--json").stdout)[0]["given"] == "herbst 27"
    run("quarantine", "replay", "--rule", "entry_term_unknown", "--by", "Dana")
    judge(CSV_ROW | {"Email": "cem@example.edu", "Entry Term": "herbst 27"}, at=T_7 + MINUTE)
    office.load(now=T_7 + MINUTE)
    assert office.query("SELECT DISTINCT entry_term FROM interest") == ["fall 2027"]
    assert office.query("SELECT count(*) FROM interest") == [3]
    assert office.query("SELECT step, source, field FROM quarantine_step WHERE inbox_id IS NULL") == [
        ("mapped", "signups_csv", "entry_term")
    ]
    taken = run("quarantine", "fix", "--source", "signups_csv", "--value", "entry_term", "Herbst 27", "--forget", *WHO)
    assert taken.exit_code == 0, taken.output
    judge(CSV_ROW | {"Email": "dia@example.edu", "Entry Term": "herbst 27"}, at=T_7 + 2 * MINUTE)
    assert [one["rule"] for one in listed(run)] == ["entry_term_unknown"]


def test_what_still_fails_stays_with_its_new_reason(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Entry Term": "Herbst 27", "Email Consent": ""}, at=T_14)
    assert listed(run)[0]["rule"] == "consent_missing"
    run("quarantine", "fix", "1", "--set", "consent=yes", *WHO)
    dry = json.loads(run("quarantine", "replay", "--all", "--dry-run", "--by", "Dana", "--json").stdout)
    assert dry["still failing"] == {"entry_term_unknown": 1}
    assert listed(run)[0]["rule"] == "consent_missing"  # nothing was kept
    run("quarantine", "replay", "--all", "--by", "Dana")
    (row,) = listed(run)
    assert row["rule"] == "entry_term_unknown"
    assert office.query("SELECT step FROM quarantine_step ORDER BY id") == ["corrected", "rejected_again"]
    assert office.query("SELECT count(*) FROM person") == [0]


def test_a_correction_can_blank_a_field(judge: Any, office: Office, run: Any) -> None:
    judge(CSV_ROW | {"(damage)": "2 cells under 3 headings"}, at=T_14)
    run("quarantine", "fix", "1", "--set", "damage=", *WHO)
    run("quarantine", "replay", "1", "--by", "Dana")
    assert office.query("SELECT email FROM person") == [ANA]


def test_a_discarded_row_is_counted_kept_and_can_be_restored(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Email Consent": "no"}, CSV_ROW | {"Email": BEN}, at=T_14)
    assert run("quarantine", "discard", "1", *WHO).exit_code == 0
    assert listed(run) == []
    assert run("quarantine", "replay", "1", "--by", "Dana").exit_code == 1
    intake = overview(office.engine, now=T_7).intake
    assert (intake.rows_in, intake.accepted, intake.quarantined, intake.discarded) == (2, 1, 0, 1)
    assert "1 discarded" in run("people").output
    assert run("quarantine", "restore", "1", *WHO).exit_code == 0
    assert len(listed(run)) == 1
    assert office.query("SELECT step FROM quarantine_step ORDER BY id") == ["discarded", "restored"]


def test_a_row_counts_once_however_often_it_is_judged(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Entry Term": "Herbst 27"}, CSV_ROW | {"Email": BEN}, CSV_ROW | {"Email": "x"}, at=T_14)
    run("quarantine", "replay", "--all", "--by", "Dana")
    run("quarantine", "fix", "1", "--set", "entry_term=fall 2027", *WHO)
    run("quarantine", "replay", "--all", "--by", "Dana")
    intake = overview(office.engine, now=T_7).intake
    assert (intake.rows_in, intake.accepted, intake.quarantined) == (3, 2, 1)
    assert office.query("SELECT outcome, count(*)::int FROM inbox GROUP BY outcome ORDER BY outcome") == [
        ("accepted", 2),
        ("quarantined", 1),
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "99"), 1, "there is no such row"),
        (("fix", "99", "--set", "email=x", *WHO), 1, "there is no such row"),
        (("fix", "1", "--set", "shoe=43", *WHO), 1, "has no field 'shoe': write one of email"),
        (("fix", "1", "--set", "email", *WHO), 2, "with an equals sign"),
        (("fix", "1", *WHO), 2, "ROW with --set"),
        (("fix", "1", "--set", "email=x", "--by", "Dana"), 2, "say why"),
        (("fix", "--source", "old_fair", "--value", "entry_term", "x=fall 2027", *WHO), 1, "There is no such source"),
        (("fix", "--source", "signups_csv", "--value", "email", "x=y", *WHO), 1, "correct the row with --set"),
        (("discard", "2", *WHO), 1, "it has been accepted"),
        (("restore", "1", *WHO), 1, "was not discarded"),
        (("replay", "--by", "Dana"), 2, "say which rows"),
        (("replay", "--all", "--by", ""), 2, "say who decides"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    judge: Any, run: Any, words: tuple[str, ...], code: int, said: str
) -> None:
    judge(CSV_ROW | {"Email": "x"}, CSV_ROW, at=T_14)
    result = run("quarantine", *words)
    error = str(result.exception) if code == 1 else " ".join(result.output.replace("│", " ").split())
    assert said in error
    assert (result.exit_code == 2) is (code == 2)


def test_a_row_of_a_source_that_is_gone_can_be_looked_at(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Email": "x"}, at=SEPTEMBER)
    office.change("UPDATE inbox SET source = 'old_fair'")
    assert listed(run)[0]["source"] == "old_fair"
    assert run("quarantine", "show", "1").exit_code == 0
    assert "source_known" in run("quarantine", "replay", "1", "--by", "Dana", "--json").stdout


def test_an_erased_person_leaves_no_correction_behind(office: Office, judge: Any, run: Any) -> None:
    judge(CSV_ROW | {"Email": "ana at example.edu"}, at=SEPTEMBER)
    run("quarantine", "fix", "1", "--set", f"email={ANA}", *WHO)
    run("quarantine", "replay", "1", "--by", "Dana")
    assert office.query("SELECT value FROM correction") == [ANA]
    office.erase(ANA, at=T_7)
    assert office.query("SELECT value FROM correction") == []


def test_nor_one_of_a_row_that_was_not_replayed_yet(office: Office, judge: Any, run: Any) -> None:
    office.sign_up(ANA)
    judge(CSV_ROW | {"Email": "ana at example.edu"}, at=SEPTEMBER)
    run("quarantine", "fix", "2", "--set", f"email={ANA}", *WHO)
    office.erase(ANA, at=T_7)
    assert office.query("SELECT value FROM correction") == []
    assert office.query("SELECT raw::text, outcome FROM inbox WHERE id = 2") == [("{}", "erased")]
    assert office.query("SELECT step, by, field, why FROM quarantine_step") == [("corrected", "Dana", "email", "")]
    for words in (("show", "2"), ("replay", "2", "--by", "Dana"), ("discard", "2", *WHO), ("restore", "2", *WHO)):
        result = run("quarantine", *words)
        assert result.exit_code == 1
        assert "its person was erased" in str(result.exception)


def test_nobody_who_was_erased_comes_back_by_a_corrected_row(
    office: Office, judge: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row could not be recognised when its person was erased; what it says is from before."""
    monkeypatch.setenv("CRM_SECRET_KEY", office.outbox.secret.decode())
    office.sign_up(ANA)
    judge(CSV_ROW | {"Email": "ana at example.edu"}, CSV_ROW | {"Email": "x"}, at=SEPTEMBER)
    office.erase(ANA, at=T_14)
    run("quarantine", "fix", "2", "--set", f"email={ANA}", *WHO)
    done = json.loads(run("quarantine", "replay", "--all", "--by", "Dana", "--json").stdout)
    assert done["judge again"] == {"rows": 2, "accepted": 0, "quarantined": 1, "erased": 1}
    assert office.query("SELECT raw::text, outcome FROM inbox WHERE id = 2") == [("{}", "erased")]
    assert office.query("SELECT value FROM correction") == []
    assert office.query("SELECT count(*) FROM person WHERE erased_at IS NULL") == [0]
    batches = office.query("SELECT sum(rows_in), sum(accepted), sum(quarantined), sum(erased) FROM batch WHERE id = 2")
    assert batches == [(2, 0, 1, 1)]


@pytest.mark.parametrize("words", [("discard", "1", *WHO), ("fix", "1", "--set", "phone=1", *WHO)])
def test_of_two_who_decide_at_once_the_second_is_told_what_the_first_did(
    office: Office, judge: Any, run: Any, words: tuple[str, ...]
) -> None:
    """A row that a replay is just accepting is not discarded: it would be loaded by nobody, and found nowhere."""
    judge(CSV_ROW | {"Email": "x"}, at=SEPTEMBER)
    with ThreadPoolExecutor(1) as pool:
        with transaction(office.engine) as connection:
            (entry,) = lock_entries(connection, Selection(), after=0, limit=1)
            settle_rows(connection, [1], batch_id=entry.batch_id, outcome=InboxOutcome.ACCEPTED)
            take_out(connection, [1])
            deciding = pool.submit(run, "quarantine", *words)
            until_somebody_waits(office)
        result = deciding.result(timeout=20)
    assert "it has been accepted" in str(result.exception)
    assert office.query("SELECT outcome FROM inbox") == ["accepted"]
    assert office.query("SELECT count(*) FROM quarantine_step") == [0]
