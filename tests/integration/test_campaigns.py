"""A campaign that was stopped stays stopped until a person resumes it; operations are told once."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from tests.factories import ANA, BEN, HOUR, MINUTE, T_7, Office
from tests.fakes import Interrupted
from typer.testing import CliRunner

from enrollment_crm.cli import app
from enrollment_crm.domain.campaigns import BounceLimit, CampaignStop, CampaignStoppedError
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.transmission import FIRST_GROUP
from enrollment_crm.storage.campaigns import stop_campaign
from enrollment_crm.storage.engine import transaction
from enrollment_crm.workflows.campaigns import resume, stop_of, tell_of_stops
from enrollment_crm.workflows.reminders import find_due

KIND = MessageKind.DEADLINE_REMINDER


def go_on(office: Office) -> None:
    """A person has mended the cause."""
    assert resume(office.engine, KIND, by="dean", remedy="the password", now=T_7 + MINUTE)


def stopped(office: Office) -> None:
    """The relay refuses us."""
    office.relay.answers["RCPT"] = "554 5.7.1 policy"
    with pytest.raises(CampaignStoppedError, match="until the cause is mended"):
        office.sweep(T_7)
    office.relay.answers.clear()
    office.end_leases()


def test_a_stopped_campaign_stays_stopped_when_the_relay_would_take_it_again(office: Office) -> None:
    office.sign_up(ANA)
    stopped(office)
    office.sign_up(BEN)
    assert office.sweep(T_7 + MINUTE * 5) == {"held": 2}
    assert office.relay.taken == []
    names = [due.name for due in find_due(office.outbox, now=T_7 + MINUTE * 5)]
    assert all(name.startswith("stopped: ") and "5.7.1" in name for name in names)
    assert "unfinished deadline reminders" in names[-1]

    go_on(office)
    assert office.sweep(T_7 + MINUTE * 10) == {"accepted": 2}


def test_r6_what_fell_due_while_it_was_stopped_is_caught_up(office: Office) -> None:
    office.sign_up(ANA)
    office.live(T_7 - HOUR * 2, T_7 - HOUR)
    with transaction(office.engine) as connection:
        stop_campaign(connection, KIND, "A person said so.", T_7 - MINUTE)
    for hour in range(4):
        office.sweep(T_7 + HOUR * hour)
    assert office.relay.taken == []
    go_on(office)
    assert office.sweep(T_7 + HOUR * 5)["accepted"] == 1
    assert office.sent() == ["11-24T20:00Z 2026-12-01 7d caught up"]


def test_other_kinds_go_on(office: Office) -> None:
    with transaction(office.engine) as connection:
        stop_campaign(connection, KIND, "A person said so.", T_7)
    office.sign_up(ANA, at=T_7)
    assert office.answer(MessageKind.WELCOME, T_7) == {"accepted": 1}


def test_answers_are_held_too(office: Office) -> None:
    with transaction(office.engine) as connection:
        stop_campaign(connection, MessageKind.WELCOME, "A person said so.", T_7)
    office.sign_up(ANA, at=T_7)
    assert office.answer(MessageKind.WELCOME, T_7) == {"held": 1}
    assert office.relay.taken == []


def with_limit(office: Office, *, most: int) -> Office:
    limit = BounceLimit(share=most / 10, window=10)
    return replace(office, outbox=replace(office.outbox, bounce_limit=limit))


def test_a_storm_of_bounces_stops_the_campaign(office: Office) -> None:
    for number in range(8):
        office.sign_up(f"person{number}@example.edu")
    for number in range(1, 7):
        office.relay.answers[f"RCPT person{number}@example.edu"] = "550 5.1.1 no such user"
    with pytest.raises(CampaignStoppedError):
        with_limit(office, most=3).sweep(T_7)
    assert office.states() == ["accepted", *["failed"] * 4, *["retry"] * 3]
    stop = stop_of(office.engine, KIND)
    assert stop is not None
    assert stop.reason.startswith("4 of the last 10 messages were refused")


def test_as_many_bounces_as_are_allowed_stop_nothing(office: Office) -> None:
    for number in range(8):
        office.sign_up(f"person{number}@example.edu")
    for number in range(3):
        office.relay.answers[f"content person{number}@example.edu"] = "550 5.1.1 no such user"
    assert with_limit(office, most=3).sweep(T_7) == {"failed": 3, "accepted": 5}


def test_bounces_from_before_it_was_resumed_do_not_count_again(office: Office) -> None:
    test_a_storm_of_bounces_stops_the_campaign(office)
    go_on(office)
    office.end_leases()
    office.relay.answers = {"RCPT person5@example.edu": "550 5.1.1 no such user"}
    assert with_limit(office, most=3).sweep(T_7 + MINUTE * 2) == {"failed": 1, "accepted": 2}


def stopped_by_another(office: Office) -> Office:
    """Right after its first message, this worker's campaign is stopped by somebody else."""

    def stop() -> None:
        with transaction(office.engine) as connection:
            stop_campaign(connection, KIND, "Another worker said so.", T_7)

    return replace(office, outbox=replace(office.outbox, transport=Interrupted(office.transport(), after_reply=stop)))


def test_a_worker_that_holds_messages_ends_when_another_stops_their_kind(office: Office) -> None:
    for number in range(12):
        office.sign_up(f"person{number}@example.edu")
    with pytest.raises(CampaignStoppedError):
        stopped_by_another(office).sweep(T_7)
    assert office.states() == [*["accepted"] * FIRST_GROUP, *["retry"] * (12 - FIRST_GROUP)]
    assert office.query("SELECT count(content) FROM message") == [FIRST_GROUP]
    office.end_leases()
    go_on(office)
    assert office.sweep(T_7 + MINUTE * 2) == {"accepted": 12 - FIRST_GROUP}


def test_a_storm_ends_every_worker_that_is_in_it(office: Office) -> None:
    for number in range(4):
        office.sign_up(f"person{number}@example.edu")
    for number in range(1, 4):
        office.relay.answers[f"RCPT person{number}@example.edu"] = "550 5.1.1 no such user"
    with pytest.raises(CampaignStoppedError):
        with_limit(stopped_by_another(office), most=1).sweep(T_7)
    assert office.states() == ["accepted", "failed", "failed", "retry"]


def test_addresses_that_cannot_be_one_are_no_storm(office: Office) -> None:
    for number in range(6):
        office.sign_up(f"person{number}@example.edu")
    office.change("UPDATE person SET email = 'nobody'")
    assert with_limit(office, most=1).sweep(T_7) == {"failed": 6}
    assert stop_of(office.engine, KIND) is None


def test_operations_are_told_once_and_again_where_that_failed(office: Office) -> None:
    office.sign_up(ANA)
    stopped(office)
    told: list[CampaignStop] = []

    def fail(_: CampaignStop) -> None:
        raise OSError("the relay refuses the alert too")

    with pytest.raises(OSError, match="the alert too"):
        tell_of_stops(office.engine, fail, now=T_7)
    assert tell_of_stops(office.engine, told.append, now=T_7) == 1
    assert tell_of_stops(office.engine, told.append, now=T_7) == 0
    (stop,) = told
    assert "5.7.1" in stop.in_words()
    assert "campaigns resume deadline_reminder" in stop.in_words()
    assert ANA not in stop.in_words()


def test_the_reason_of_the_first_stop_stays(office: Office) -> None:
    with transaction(office.engine) as connection:
        assert stop_campaign(connection, KIND, "The first.", T_7)
        assert not stop_campaign(connection, KIND, "The second.", T_7)
    stop = stop_of(office.engine, KIND)
    assert stop is not None
    assert stop.reason == "The first."


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The program on the database of the tests."""
    monkeypatch.setenv("CRM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    return CliRunner()


def test_the_commands(office: Office, run: CliRunner) -> None:
    office.sign_up(ANA)
    stopped(office)
    (listed,) = json.loads(run.invoke(app, ["campaigns", "list", "--json"]).stdout)
    assert (listed["kind"], listed["resumed_at"]) == ("deadline_reminder", None)
    assert "5.7.1" in listed["reason"]

    assert run.invoke(app, ["campaigns", "resume", "deadline_reminder", "--by", " ", "--why", "x"]).exit_code == 2
    resumed = ["campaigns", "resume", "deadline_reminder", "--by", "dean", "--why", "new password"]
    assert run.invoke(app, resumed).exit_code == 0
    assert run.invoke(app, resumed).exit_code == 1
    assert json.loads(run.invoke(app, ["campaigns", "list", "--json"]).stdout) == []
    (was,) = json.loads(run.invoke(app, ["campaigns", "list", "--all", "--json"]).stdout)
    assert (was["resumed_by"], was["remedy"]) == ("dean", "new password")
    assert "new password" in run.invoke(app, ["campaigns", "list", "--all"]).stdout
