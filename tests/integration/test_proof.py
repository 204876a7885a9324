"""What exactly was sent can be shown, whatever became of template, date or person since; and exported for an audit."""

import csv
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.factories import ANA, BEN, HOUR, MINUTE, SEPTEMBER, T_7, T_14, T_30, Office
from typer.testing import CliRunner, Result

from enrollment_crm.cli import app
from enrollment_crm.domain.feedback import Feedback, FeedbackKind
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.rules_in_words import rule_of_sent_key
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.feedback import take_feedback
from enrollment_crm.workflows.proof import Bytes, proof_of_message, safe_cell


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the database of the test."""
    monkeypatch.setenv("CRM_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr("enrollment_crm.cli.output._WIDTH_OF_A_FILE", 400)
    return lambda *words: CliRunner().invoke(app, words)


def reminded(office: Office) -> int:
    """Ana has been reminded 14 days before; gives the number of the message."""
    office.sign_up(ANA)
    office.sweep(T_14)
    (number,) = office.query("SELECT id FROM message")
    return int(number)


def say(office: Office, kind: FeedbackKind, *, status: str = "", detail: str = "", source: str = "mailbox") -> None:
    (message_id,) = office.query("SELECT message_id FROM message")
    feedback = Feedback(
        kind=kind,
        message_id=str(message_id),
        source=source,
        fact_id=f"{kind} {status}",
        at=T_14 + HOUR,
        status=status,
        detail=detail,
    )
    with transaction(office.engine) as connection:
        take_feedback(connection, feedback)


def test_the_bytes_are_those_that_arrived_and_their_hash_proves_it(office: Office, run: Any, tmp_path: Path) -> None:
    number = reminded(office)
    file = tmp_path / "message.eml"
    result = run("message", "show", str(number), "--eml", str(file))
    assert result.exit_code == 0, result.output
    (arrived,) = office.relay.taken
    assert file.read_bytes() == arrived.content
    assert hashlib.sha256(file.read_bytes()).hexdigest() in result.stdout
    assert "proven" in result.stdout


def test_it_says_the_rule_the_versions_and_the_timeline(office: Office, run: Any) -> None:
    number = reminded(office)
    say(office, FeedbackKind.DELIVERED)
    say(office, FeedbackKind.BOUNCED, status="5.2.2", detail="552 full")
    (shown,) = json.loads(run("message", "show", str(number), "--json").stdout)
    assert shown["state"] == "bounced"
    assert shown["rules"] == ["R3: 14 days before the date, at the hour of their own clock."]
    dates = shown["covers"][0]["dates"]
    assert [(one["residency"], one["version"]) for one in dates if one["residency"] == "domestic"] == [("domestic", 1)]
    assert [one["kind"] for one in shown["timeline"]] == [
        "claimed",
        "transmitting",
        "accepted",
        "delivered",
        "bounced",
    ]
    assert "250" in shown["timeline"][2]["detail"]
    assert shown["timeline"][4]["detail"] == "5.2.2 552 full (from mailbox)"
    assert "content" not in shown


def test_a_date_that_moved_since_changes_nothing_of_what_was_sent(office: Office) -> None:
    number = reminded(office)
    before = proof_of_message(office.engine, number)
    office.move_date("2026-12-08", at=T_14 + HOUR)
    after = proof_of_message(office.engine, number)
    assert after.message.covers == before.message.covers
    assert (after.message.content, after.bytes_are) == (before.message.content, Bytes.PROVEN)


def test_a_refusal_before_the_acceptance_stands_in_the_timeline(office: Office) -> None:
    office.sign_up(ANA)
    office.relay.answers["RCPT"] = "451 4.7.1 greylisted"
    office.sweep(T_14)
    office.relay.answers.clear()
    office.change("UPDATE message SET retry_at = now()")
    office.sweep(T_14 + MINUTE)
    (number,) = office.query("SELECT id FROM message")
    timeline = proof_of_message(office.engine, int(number)).timeline
    assert [one.kind for one in timeline] == ["claimed", "transmitting", "retry", "accepted"]
    assert "greylisted" in timeline[2].detail


def test_bytes_that_somebody_changed_are_said_to_be_changed(office: Office, run: Any) -> None:
    number = reminded(office)
    office.change("UPDATE message SET content = content || 'x'")
    result = run("message", "show", str(number))
    assert result.exit_code == 1
    assert "CHANGED" in result.stdout


def test_of_an_erased_person_hash_and_timeline_remain(office: Office, run: Any, tmp_path: Path) -> None:
    number = reminded(office)
    say(office, FeedbackKind.BOUNCED, status="5.1.1", detail="no such user ana")
    office.erase(ANA, at=T_7)
    proof = proof_of_message(office.engine, number)
    assert proof.bytes_are is Bytes.ERASED
    assert proof.message.content_sha256 == hashlib.sha256(office.relay.taken[0].content).hexdigest()
    assert [one.kind for one in proof.timeline][-1] == "bounced"
    assert "ana" not in repr(proof)
    assert run("message", "show", str(number), "--eml", str(tmp_path / "x.eml")).exit_code == 1


def test_all_messages_of_a_person_are_shown_by_address(office: Office, run: Any) -> None:
    office.sign_up(ANA)
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.sweep(T_14)
    shown = json.loads(run("message", "show", "--person", ANA, "--json").stdout)
    assert [one["kind"] for one in shown] == ["welcome", "deadline_reminder"]
    assert ANA not in json.dumps(shown)


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("message", "show", "99"), 1),
        (("message", "show", "--person", "nobody@example.edu"), 1),
        (("message", "show"), 2),
        (("message", "show", "1", "--person", ANA), 2),
        (("message", "show", "--person", ANA, "--eml", "x.eml"), 2),
        (("messages", "export", "--from", "2026-11-01", "--to", "2026-12-01T00:00:00Z"), 2),
    ],
)
def test_what_is_not_there_or_was_misused(office: Office, run: Any, words: tuple[str, ...], exit_code: int) -> None:
    assert run(*words).exit_code == exit_code


SPAN = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-12-01T00:00:00Z")


def test_an_export_has_every_message_of_the_span_and_no_people(office: Office, run: Any) -> None:
    for email in (ANA, BEN):
        office.sign_up(email)
    office.answer(MessageKind.WELCOME, SEPTEMBER)
    office.sweep(T_30)
    office.sweep(T_14)
    result: Result = run("messages", "export", *SPAN)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 4
    assert {row["state"] for row in rows} == {"accepted"}
    assert all(len(row["content_sha256"]) == 64 and "early_action" in row["covers"] for row in rows)
    assert "example.edu" not in result.stdout.replace("crm.example", "")
    lines = [json.loads(line) for line in run("messages", "export", *SPAN, "--format", "jsonl").stdout.splitlines()]
    assert [line["id"] for line in lines] == [int(row["id"]) for row in rows]


def test_addresses_are_exported_on_demand_and_to_a_file_of_ones_own(office: Office, run: Any, tmp_path: Path) -> None:
    reminded(office)
    assert run("messages", "export", *SPAN, "--with-addresses").exit_code == 2
    file = tmp_path / "audit.csv"
    assert run("messages", "export", *SPAN, "--with-addresses", "--out", str(file)).exit_code == 0
    assert [row["address"] for row in csv.DictReader(file.open(newline=""))] == [ANA]
    assert file.stat().st_mode & 0o077 == 0
    office.erase(ANA, at=T_7)
    run("messages", "export", *SPAN, "--with-addresses", "--out", str(file))
    assert [row["address"] for row in csv.DictReader(file.open(newline=""))] == [""]


def test_a_relays_words_are_no_formula(office: Office, run: Any) -> None:
    reminded(office)
    office.change("""UPDATE message SET outcome = '=HYPERLINK("https://evil.example")'""")
    (row,) = csv.DictReader(io.StringIO(run("messages", "export", *SPAN).stdout))
    assert row["outcome"] == """'=HYPERLINK("https://evil.example")"""


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_cells_that_spreadsheets_take_for_formulas(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(f"a{text}") == f"a{text}"


@pytest.mark.parametrize("kind", MessageKind)
def test_every_kind_has_a_rule(kind: MessageKind) -> None:
    offset = "1" if kind.value.endswith("moved") else "7d"  # of a notice: the version that it tells of
    for catch_up in (False, True):
        rule = rule_of_sent_key(kind, offset=offset, catch_up=catch_up, of_message=MessageKind.DEADLINE_REMINDER)
        assert rule.startswith("R")


SPAN = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-12-01T00:00:00Z")


@pytest.mark.parametrize("words", [("message", "show", "{}", "--eml"), ("messages", "export", *SPAN, "--out")])
def test_what_is_written_for_staff_is_read_by_nobody_else(
    office: Office, run: Any, tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = [word.format(reminded(office)) for word in words]
    file = tmp_path / "file"
    file.touch(0o644)
    assert run(*said, str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    reader = os.open(pipe, os.O_RDWR)
    assert run(*said, str(pipe)).exit_code == 0
    os.close(reader)
    assert pipe.stat().st_mode & 0o777 == 0o644  # as /dev/null would be, it is not ours to close to others
    refused = run(*said, str(tmp_path / "no folder" / "file"))
    assert refused.exit_code == 1
    assert "No such file or directory. Give another file." in refused.stderr


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30])
def test_what_can_be_no_number_of_a_message_is_said(run: Any, number: str) -> None:
    asked = run("message", "show", "--", number)
    assert asked.exit_code == 2
    assert "than or equal to" in " ".join(asked.stderr.split())


def test_a_span_that_ends_before_it_begins_is_said(run: Any) -> None:
    asked = run("messages", "export", "--from", SPAN[3], "--to", SPAN[1])
    assert asked.exit_code == 2
    assert "--to must be after --from" in asked.stderr
