"""`enrollment-crm person` and `reviews`, as staff use them."""

import json
import logging
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from tests.factories import ANA, BEN, DAY, SEPTEMBER, T_14, Office
from typer.testing import CliRunner, Result

from enrollment_crm.cli import app
from enrollment_crm.domain.messages import MessageKind

Run = Callable[..., Result]
STAFF = ("--by", "dean", "--why", "as the file says")


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the database of the test, two weeks before the deadline."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CRM_AS_OF", T_14.isoformat())
    monkeypatch.setenv("CRM_SECRET_KEY", office.outbox.secret.decode())
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 400)
    return lambda *words: CliRunner().invoke(app, list(words))


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_show_tells_what_is_known_and_why(office: Office, run: Run) -> None:
    person = office.sign_up(ANA, residency="domestic", phone="617 555 0142")
    office.report(ANA, at=SEPTEMBER + DAY, pid="p-77", CitizenshipStatus="US Citizen", BirthDate="04/05/1999")
    seen = said(run("person", "show", f" {ANA.upper()}", "--json"))
    assert seen["record"]["person"]["id"] == person
    assert (seen["conclusion"]["residency"], seen["conclusion"]["confidence"]) == ("domestic", "corroborated")
    assert [(one["source"], one["reference"]) for one in seen["references"]] == [("slate", "p-77")]
    assert seen["facts"]["birth_date"]["value"] == "1999-04-05"
    assert seen["facts"]["phone"]["source"] == "form"
    page = run("person", "show", str(person))
    assert page.exit_code == 0
    for words in (
        "confidence corroborated",
        "form: own answer domestic",
        "citizen",
        "called so by slate",
        "617 555 0142",
    ):
        assert words in page.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("person", "show", "nobody@example.edu"),
        ("person", "merge", "nobody@example.edu", "1", *STAFF),
        ("person", "unmerge", "17", *STAFF),
        ("person", "erase", "17", "--yes", *STAFF),
        ("person", "correct", "17", "--phone", "1", *STAFF),
        ("reviews", "show", "17"),
        ("reviews", "decide", "17", "different", *STAFF),
    ],
)
def test_whoever_is_not_there_is_an_error_in_words(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Error:" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("person", "merge", "1", "2"),
        ("person", "erase", "1", "--yes", "--by", "dean"),
        ("person", "correct", "1", *STAFF),
        ("person", "correct", "1", "--time-zone", "No/Where", *STAFF),
        ("person", "correct", "1", "--country", "Chile", *STAFF),
        ("person", "correct", "1", "--country", "ZZ", *STAFF),
        ("person", "correct", "1", "--country", "  ", *STAFF),
        ("person", "correct", "1", "--first-name", "Ana\nBcc: x@example.edu", *STAFF),
        ("person", "correct", "1", "--last-name", "n" * 201, *STAFF),
        ("person", "correct", "1", "--birth-date", "1/2/2001", *STAFF),
        ("person", "correct", "1", "--birth-date", "2999-01-01", *STAFF),
    ],
)
def test_what_is_misused_is_said(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_merge_and_unmerge(office: Office, run: Run) -> None:
    ana, ben = office.sign_up(ANA), office.sign_up(BEN)
    assert said(run("person", "merge", BEN, str(ana), *STAFF, "--json")) == {"merged": ben, "into": ana}
    again = run("person", "merge", BEN, ANA, *STAFF)
    assert (again.exit_code, "one person already" in again.stderr) == (1, True)
    assert said(run("person", "show", BEN, "--json"))["record"]["person"]["id"] == ana
    assert said(run("person", "unmerge", BEN, *STAFF, "--json")) == {"unmerged": ben, "from": ana}
    trail = said(run("person", "show", BEN, "--json"))["trail"]
    assert [(one["by"], one["action"], one["reason"]) for one in trail] == [
        ("dean", "merged", "as the file says"),
        ("dean", "unmerged", "as the file says"),
    ]


def test_correct_says_it_from_now_on_and_a_newer_source_replaces_it(office: Office, run: Run) -> None:
    office.sign_up(ANA, phone="1", time_zone="America/New_York")
    result = run("person", "correct", ANA, "--phone", "2", "--time-zone", "Asia/Shanghai", *STAFF, "--json")
    assert said(result)["corrected"] == ["phone", "time_zone"]
    row = "SELECT phone, zone, needs_routing FROM person"
    assert office.query(row) == [("2", "Asia/Shanghai", True)]
    office.sign_up(ANA, at=T_14 - DAY, phone="3")
    assert office.query(row)[0][0] == "2"
    office.sign_up(ANA, at=T_14 + DAY, phone="4")
    assert office.query(row)[0][0] == "4"


def test_names_of_every_script_can_be_corrected(office: Office, run: Run) -> None:
    office.sign_up(ANA)
    # In the order of their letters: of what is said at one instant, the greater value holds.
    for name in ("O’Brien–Núñez", "می\u200cرزا", "山田\u3000太郎"):
        assert run("person", "correct", ANA, "--last-name", name, *STAFF).exit_code == 0
        assert office.query("SELECT last_name FROM person") == [name]


def test_correct_another_term(office: Office, run: Run) -> None:
    office.sign_up(ANA, entry_term="fall 2027")
    words = ("person", "correct", ANA, "--entry-term", "spring 2028", "--instead-of", "fall 2027", *STAFF)
    assert run(*words).exit_code == 0
    assert office.query("SELECT entry_term FROM interest") == ["spring 2028"]


def test_a_residency_that_a_person_decides_holds_until_newer_evidence_contradicts_it(office: Office, run: Run) -> None:
    office.sign_up(ANA, residency="domestic")
    office.report(ANA, at=SEPTEMBER + DAY, CitizenshipStatus="Foreign National", Address1Country="IN")
    (review,) = said(run("reviews", "list", "--about", "residency", "--json"))
    wrong = run("reviews", "decide", str(review["id"]), "martian", *STAFF)
    assert (wrong.exit_code, "domestic, international_inside_us" in " ".join(wrong.stderr.split())) == (1, True)
    assert run("reviews", "decide", str(review["id"]), "international outside us", *STAFF).exit_code == 0
    office.load(now=T_14)
    assert office.query("SELECT residency FROM person") == ["international_outside_us"]
    assert said(run("reviews", "list", "--json")) == []
    assert said(run("person", "show", ANA, "--json"))["conclusion"]["confidence"] == "decided"
    office.report(ANA, at=T_14 + DAY, CitizenshipStatus="Foreign National", Address1Country="IN")
    assert office.reviews() == []
    office.report(ANA, at=T_14 + DAY * 2, CitizenshipStatus="US Citizen")
    assert office.reviews() == [("residency", ANA)]


def test_two_records_are_decided_to_be_one_or_not(office: Office, run: Run) -> None:
    for email, aid in ((ANA, "a-1"), (BEN, "a-2")):
        office.report(email, at=SEPTEMBER, aid=aid, FirstName="Ana", LastName="Silva", BirthDate="1999-04-05")
    (review,) = said(run("reviews", "list", "--about", "same_person", "--json"))
    assert "and" in run("reviews", "show", str(review["id"])).stdout
    assert run("reviews", "decide", str(review["id"]), "same", *STAFF).exit_code == 0
    assert office.query("SELECT email FROM person WHERE merged_into_id IS NULL") == [ANA]
    (closed,) = said(run("reviews", "list", "--closed", "--about", "same_person", "--json"))
    assert (closed["closed_by"], closed["decision"]) == ("dean", "same")


def test_anything_else_is_closed_with_words_and_not_asked_again(office: Office, run: Run) -> None:
    def odd(hours: int) -> None:
        office.report(ANA, at=SEPTEMBER + DAY * hours, CitizenshipStatus="Martian", Address1Country="US")

    odd(1)
    (review,) = [one for one in said(run("reviews", "list", "--json")) if one["about"] == "unmapped_value"]
    assert run("reviews", "decide", str(review["id"]), "a test row of Slate", *STAFF).exit_code == 0
    odd(2)
    assert "unmapped_value" not in {one["about"] for one in said(run("reviews", "list", "--json"))}


def lived(office: Office) -> None:
    office.sign_up(ANA, phone="617 555 0142")
    office.report(ANA, at=SEPTEMBER + DAY, pid="p-77")
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.answer(MessageKind.APPLICATION_RECEIVED, SEPTEMBER + DAY)


def test_export_holds_everything_and_the_exact_messages(
    office: Office, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lived(office)
    caplog.set_level(logging.DEBUG)
    out = tmp_path / "ana"
    result = run("person", "export", ANA, str(out), *STAFF, "--json")
    assert said(result)["messages"] == 1
    held = json.loads((out / "person.json").read_text())["held"]
    assert held["person"][0]["email"] == ANA
    assert [row["raw"].get("email") or row["raw"].get("Email") for row in held["inbox"]] == [ANA, ANA]
    assert {"consent", "interest", "residency_evidence", "event", "message", "cover", "application"} <= set(held)
    assert held["person_reference"][0]["reference"] == "p-77"
    (message,) = (out / "messages").iterdir()
    assert message_from_bytes(message.read_bytes())["To"].endswith(f"<{ANA}>")
    assert [message.read_bytes()] == office.frozen()
    for file in (out, out / "person.json", message):
        assert file.stat().st_mode & 0o077 == 0
    ours = [one.getMessage().lower() for one in caplog.records if not one.name.startswith("mail.log")]
    assert ANA not in result.output + " ".join(ours)
    assert run("person", "export", ANA, str(out), *STAFF).exit_code == 2


def test_what_a_row_says_of_somebody_else_is_not_handed_out(office: Office, run: Run, tmp_path: Path) -> None:
    """Ben's row names Ana as his sponsor: that it does is hers to know, and what it says of Ben is not."""
    lived(office)
    office.report(BEN, at=SEPTEMBER, aid="a-2", pid="p-2", LastName="Canary", Sponsor=f"<{ANA}>")
    assert run("person", "export", ANA, str(tmp_path / "ana"), *STAFF).exit_code == 0
    text = (tmp_path / "ana" / "person.json").read_text()
    assert "Canary" not in text
    assert json.loads(text)["named_in"] == [{"source": "slate", "received_at": SEPTEMBER.isoformat()}]


def test_somebody_of_whom_there_are_raw_rows_alone_is_handed_out(office: Office, run: Run, tmp_path: Path) -> None:
    office.fill_in(ANA, at=SEPTEMBER, first_name="Canary")
    out = tmp_path / "ana"
    result = run("person", "export", ANA, str(out), *STAFF)
    assert result.exit_code == 0
    assert "Somebody of whom there is no record: 1 rows" in result.output
    held = json.loads((out / "person.json").read_text())
    assert held["person"] is None
    assert [row["raw"]["first_name"] for row in held["held"]["inbox"]] == ["Canary"]
    assert office.query("SELECT action, person_id FROM staff_action") == [("exported", None)]


def test_export_as_one_file(office: Office, run: Run, tmp_path: Path) -> None:
    lived(office)
    out = tmp_path / "ana.zip"
    assert run("person", "export", ANA, str(out), *STAFF).exit_code == 0
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("person.json"))["person"] == office.person(ANA)
        assert len(archive.namelist()) == 2


def test_erase_asks_first_and_prints_counts_alone(office: Office, run: Run) -> None:
    lived(office)
    assert CliRunner().invoke(app, ["person", "erase", ANA, *STAFF], input="n\n").exit_code == 1
    assert office.query("SELECT erased_at FROM person") == [None]
    gone = run("person", "erase", ANA, "--yes", *STAFF, "--json")
    assert said(gone) | {"person_id": 0} == {
        "person_id": 0, "records": 1, "rows_emptied": 2, "rows_not_taken_in": 0, "rows_redacted": 0
    }  # fmt: skip
    assert office.query("SELECT by, action, reason FROM staff_action") == [("dean", "erased", "as the file says")]


@pytest.mark.parametrize(
    "words", [("--first-name", "Canary"), ("--residency", "domestic"), ("--entry-term", "fall 2027")]
)
def test_nothing_is_said_of_somebody_who_was_erased(office: Office, run: Run, words: tuple[str, str]) -> None:
    person = office.sign_up(ANA)
    office.erase(ANA, at=SEPTEMBER + DAY)
    kept = "SELECT to_jsonb(person)::text, (SELECT count(*) FROM residency_evidence) FROM person"
    before = office.query(kept)
    result = run("person", "correct", str(person), *words, *STAFF)
    assert result.exit_code == 1
    assert "was erased" in result.stderr
    assert office.query(kept) == before
