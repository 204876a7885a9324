"""Claim, act, record, against a relay that refuses, falls silent or vanishes, and workers that are killed."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.factories import ANA, BEN, CUT_OFF, MINUTE, SEPTEMBER, SHANGHAI, T_1, T_7, T_14, Office
from tests.fakes import At, Interrupted, Killed, kill

from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.mail.failpoints import Place
from enrollment_crm.stack.ports import free_port
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.unfinished import reclaim_to_retry, reclaim_vanished
from enrollment_crm.workflows.campaigns import resume
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.delivery import PEOPLE_A_CLAIM
from enrollment_crm.workflows.reminders import send_reminders

KIND = MessageKind.DEADLINE_REMINDER
A_LEASE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def ana(office: Office) -> int:
    """Somebody who is due at every point of 1 December."""
    return office.sign_up(ANA)


def test_an_accepted_message_is_recorded_with_its_bytes_and_the_relays_answer(office: Office) -> None:
    assert office.sweep(T_7) == {"accepted": 1}
    (taken,) = office.relay.taken
    ((sha256, message_id, version, outcome, lease),) = office.query(
        "SELECT content_sha256, message_id, template_version, outcome, lease_until FROM message"
    )
    assert office.frozen() == [taken.content]
    assert sha256 == hashlib.sha256(taken.content).hexdigest()
    assert message_id == taken.message_id
    assert len(version) == 12
    assert outcome == "250 2.0.0 OK queued"
    assert lease is None


def test_refused_for_now_after_the_content_is_sent_again_byte_for_byte(office: Office) -> None:
    office.relay.answers["content"] = "451 4.7.1 greylisted"
    assert office.sweep(T_7) == {"retry": 1}
    office.relay.answers.clear()
    assert office.sweep(T_7 + MINUTE) == {}  # the pause is not over

    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 30) == {"accepted": 1}
    first, second = office.relay.offered
    assert first.content == second.content
    assert first.message_id == second.message_id
    assert office.query("SELECT attempts, refusals FROM message") == [(2, 1)]


def test_refused_for_now_before_the_content_pauses_longer_each_time(office: Office) -> None:
    office.relay.answers["RCPT"] = "450 4.2.1 try later"
    pauses = []
    for _ in range(3):
        assert office.sweep(T_7) == {"retry": 1}
        pauses += office.query("SELECT extract(epoch FROM retry_at - now())::float FROM message")
        office.end_leases()
    assert office.query("SELECT attempts, refusals FROM message") == [(0, 3)]
    assert 55 < pauses[0] < 91
    assert pauses[1] == pytest.approx(pauses[0] * 2, abs=5)
    assert pauses[2] == pytest.approx(pauses[0] * 4, abs=5)


@pytest.mark.parametrize(
    ("phase", "reply"),
    [("RCPT", "550 5.1.1 no such user"), ("RCPT", "550 5.2.1 disabled"), ("content", "556 5.1.10 null MX")],
)
def test_r7_a_hard_bounce_fails_and_withholds_what_follows(office: Office, phase: str, reply: str) -> None:
    office.relay.answers[phase] = reply
    assert office.sweep(T_14) == {"failed": 1}
    office.relay.answers.clear()
    assert office.sweep(T_7) == {"withheld": 1}
    assert office.withheld() == ["bounced"]
    assert office.relay.taken == []


def test_r7_another_refusal_of_the_address_fails_and_withholds_nothing(office: Office) -> None:
    office.relay.answers["RCPT"] = "552 5.2.2 mailbox full"
    assert office.sweep(T_14) == {"failed": 1}
    office.relay.answers.clear()
    assert office.sweep(T_7) == {"accepted": 1}


def test_the_outcome_in_the_ledger_does_not_hold_the_address(office: Office) -> None:
    office.relay.answers["RCPT"] = f"550 5.1.1 <{ANA}> no such user"
    office.sweep(T_7)
    (outcome,) = office.query("SELECT outcome FROM message")
    assert "5.1.1" in outcome
    assert ANA not in outcome


@pytest.mark.parametrize("phase", ["RCPT", "content"])
def test_a_refusal_of_us_stops_the_campaign_and_suppresses_nobody(office: Office, phase: str) -> None:
    for email in (BEN, "cem@example.edu"):
        office.sign_up(email)
    office.relay.answers[phase] = "554 5.7.1 policy"
    with pytest.raises(CampaignStoppedError, match="until the cause is mended"):
        office.sweep(T_7)
    assert office.states() == ["retry"] * 3  # one was refused, the rest was given back
    assert office.query("SELECT refusals FROM message ORDER BY id") == [1, 0, 0]
    assert len(office.relay.offered) <= 1
    assert office.query("SELECT count(*) FROM suppression") == [0]

    office.relay.answers.clear()
    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"held": 3}
    resume(office.engine, KIND, by="dean", remedy="the policy", now=T_7)
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 3}


def test_a_relay_that_is_down_stops_the_sweep_and_costs_nothing(office: Office) -> None:
    office.sign_up(BEN)
    port, office.relay.port = office.relay.port, free_port()
    nobody_there = office.another()
    office.relay.port = port
    with pytest.raises(RelayDownError, match="Nothing was lost"):
        send_reminders(nobody_there, now=T_7)
    assert office.states() == ["retry", "retry"]
    assert office.query("SELECT DISTINCT attempts, refusals FROM message") == [(0, 0)]

    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 2}


def test_a_session_that_breaks_before_the_content_stops_the_sweep_and_costs_nothing(office: Office) -> None:
    office.relay.answers["RCPT"] = "drop"
    with pytest.raises(RelayDownError):
        office.sweep(T_7)
    office.relay.answers.clear()
    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}


def interrupted(office: Office, **moments: Callable[[], None]) -> Office:
    """The office with a worker to whom this happens."""
    return replace(office, outbox=replace(office.outbox, transport=Interrupted(office.transport(), **moments)))


def at(office: Office, place: Place, happen: Callable[[], None]) -> Office:
    """The office with a worker to whom this happens there."""
    return replace(office, outbox=replace(office.outbox, failpoint=At(place, happen)))


def test_a_worker_killed_before_the_content_leaves_a_message_that_is_sent_when_its_lease_ends(office: Office) -> None:
    with pytest.raises(Killed):
        at(office, Place.AFTER_CLAIM, kill).sweep(T_7)
    assert office.states() == ["claimed"]
    assert office.sweep(T_7 + MINUTE) == {}  # the lease holds

    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 20) == {"accepted": 1}
    assert office.query("SELECT token FROM message") == [2]


def test_killed_after_the_relay_took_it_is_found_in_the_accept_log_and_not_sent_twice(
    office: Office, tmp_path: Path
) -> None:
    office.relay.keep_log(tmp_path)
    with pytest.raises(Killed):
        interrupted(office, after_reply=kill).sweep(T_7)
    assert office.states() == ["transmitting"]
    assert replace(office, outbox=office.another()).sweep(T_7 + MINUTE) == {}  # the lease holds

    office.end_leases()
    assert replace(office, outbox=office.another()).sweep(T_7 + MINUTE * 20) == {"accepted": 1}
    assert len(office.relay.taken) == 1
    assert office.query("SELECT outcome FROM message") == ["found in the relay's accept log"]


def test_killed_before_the_relay_took_it_is_not_in_the_accept_log_and_sent(office: Office, tmp_path: Path) -> None:
    office.relay.keep_log(tmp_path)
    with pytest.raises(Killed):
        interrupted(office, after_lease_check=kill).sweep(T_14)
    (frozen,) = office.frozen()

    office.end_leases()
    assert replace(office, outbox=office.another()).sweep(T_14 + MINUTE * 20) == {"retry": 1, "accepted": 1}
    (taken,) = office.relay.taken
    assert taken.content == frozen


def test_a_connection_lost_after_the_content_is_reconciled_too(office: Office, tmp_path: Path) -> None:
    office.relay.keep_log(tmp_path)
    office.relay.answers["content"] = "take and drop"
    with_log = replace(office, outbox=office.another())
    assert with_log.sweep(T_7) == {"transmitting": 1}
    office.relay.answers.clear()
    office.end_leases()
    assert with_log.sweep(T_7 + MINUTE * 20) == {"accepted": 1}
    assert len(office.relay.taken) == 1


def test_without_an_accept_log_an_early_reminder_is_uncertain_and_shown_to_operations(office: Office) -> None:
    with pytest.raises(Killed):
        interrupted(office, after_reply=kill).sweep(T_14)
    office.end_leases()
    assert office.sweep(T_14 + MINUTE * 20) == {"uncertain": 1}
    assert office.query("SELECT outcome FROM message")[0].endswith("Look it up at the relay.")
    office.end_leases()
    assert office.sweep(T_14 + MINUTE * 40) == {}
    assert len(office.relay.taken) == 1


def test_without_an_accept_log_a_last_reminder_is_resent_once_under_the_same_message_id(office: Office) -> None:
    with pytest.raises(Killed):
        interrupted(office, after_reply=kill).sweep(T_7)
    office.end_leases()
    with pytest.raises(Killed):
        interrupted(office, after_reply=kill).sweep(T_7 + MINUTE * 20)
    assert len({one.message_id for one in office.relay.taken}) == 1
    assert len({one.content for one in office.relay.taken}) == 1

    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 40) == {"uncertain": 1}
    assert len(office.relay.taken) == 2


def test_a_worker_overtaken_before_the_content_sends_nothing(office: Office) -> None:
    def overtaken() -> None:
        office.end_leases()
        assert office.sweep(T_7 + MINUTE) == {"accepted": 1}

    assert at(office, Place.AFTER_CLAIM, overtaken).sweep(T_7) == {"claimed": 1}
    assert len(office.relay.taken) == 1
    assert office.states() == ["accepted"]


def test_a_worker_overtaken_while_it_transmits_changes_nothing(office: Office) -> None:
    def overtaken() -> None:
        office.end_leases()
        assert office.sweep(T_14 + MINUTE) == {"uncertain": 1}

    interrupted(office, after_lease_check=overtaken).sweep(T_14)
    assert office.states() == ["uncertain"]  # the newer token's word stands


def test_a_worker_whose_message_another_has_taken_up_does_not_begin(office: Office) -> None:
    def taken_up() -> None:
        office.end_leases()
        with transaction(office.engine) as connection:
            reclaim_to_retry(connection, KIND, topics=office.outbox.topics, limit=9, lease=A_LEASE, now=T_7)

    assert at(office, Place.AFTER_CLAIM, taken_up).sweep(T_7) == {"claimed": 1}
    assert office.relay.offered == []
    assert office.query("SELECT state, token FROM message") == [("claimed", 2)]


def test_a_worker_whose_message_another_looks_into_settles_nothing(office: Office) -> None:
    def taken_up() -> None:
        office.end_leases()
        with transaction(office.engine) as connection:
            reclaim_vanished(connection, KIND, limit=9, lease=A_LEASE)

    interrupted(office, after_lease_check=taken_up).sweep(T_7)
    assert office.query("SELECT state, token FROM message") == [("transmitting", 2)]


def test_a_worker_whose_own_clock_says_that_its_lease_is_ending_sends_nothing(office: Office) -> None:
    """What is left of the lease must be enough for the relay's answer, even where the database says that it holds."""
    office.sign_up(BEN)
    short = replace(office, outbox=replace(office.another(), lease=A_LEASE, longest_dialogue=A_LEASE))
    assert short.sweep(T_7) == {"retry": 2}
    assert office.relay.offered == []
    assert office.query("SELECT DISTINCT attempts, refusals, content FROM message") == [(0, 0, None)]

    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 2}


def test_a_group_is_frozen_before_its_first_message_leaves_and_settled_together(office: Office) -> None:
    office.sign_up(BEN)
    seen = []
    interrupted(office, after_lease_check=lambda: seen.append(office.states())).sweep(T_7)
    assert seen == [["transmitting"] * 2] * 2
    assert office.states() == ["accepted"] * 2


def test_what_the_relay_took_is_recorded_though_a_later_message_stops_the_campaign(office: Office) -> None:
    for email in (BEN, "cem@example.edu"):
        office.sign_up(email)
    office.relay.answers[f"RCPT {BEN}"] = "554 5.7.1 policy"
    with pytest.raises(CampaignStoppedError):
        office.sweep(T_7)
    assert office.states() == ["accepted", "retry", "retry"]
    assert office.query("SELECT attempts, content IS NULL FROM message ORDER BY id") == [
        (1, False),
        (0, True),
        (0, True),
    ]


def test_no_transaction_is_open_while_the_relay_speaks(office: Office) -> None:
    seen = []

    def look() -> None:
        seen.append(
            office.query(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            )
        )

    interrupted(office, before_lease_check=look, after_lease_check=look, after_reply=look).sweep(T_7)
    assert seen == [[0]] * 3


def test_r7_is_read_again_before_another_attempt(office: Office) -> None:
    office.relay.answers["content"] = "451 4.7.1 later"
    office.sweep(T_7)
    office.report(at=T_7 + MINUTE)
    office.relay.answers.clear()
    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"withheld": 1}
    assert office.query("SELECT state, withheld FROM message") == [("withheld", "submitted")]
    assert office.relay.taken == []


def test_a_message_of_two_terms_goes_out_as_long_as_one_is_wanted(office: Office) -> None:
    office.sign_up(ANA, entry_term="spring 2027")
    office.relay.answers["content"] = "451 4.7.1 later"
    office.sweep(T_7)
    office.report(at=T_7 + MINUTE, YearTerm="Spring 2027")
    office.relay.answers.clear()
    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"accepted": 1}


def test_a_late_attempt_never_speaks_of_a_negative_number_of_days(office: Office) -> None:
    """Ten in the evening of 1 December in Boston: 2 December in Shanghai, and the deadline is still ahead."""
    office.sign_up(BEN, time_zone=SHANGHAI)
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(T_1.replace(hour=2))  # ten in Shanghai
    office.relay.answers.clear()
    office.end_leases()
    office.sweep(CUT_OFF - MINUTE * 120)
    to_ben = next(one.content.decode() for one in office.relay.taken if one.recipient == BEN)
    assert "deadline is today" in to_ben


def test_after_the_cut_off_another_attempt_is_too_late(office: Office) -> None:
    office.relay.answers["content"] = "451 4.7.1 later"
    office.sweep(T_7)
    office.end_leases()
    assert office.sweep(CUT_OFF) == {"withheld": 2}  # the retry, and T-1
    assert office.query("SELECT state, withheld FROM message") == [("withheld", "too_late")]


def test_a_batch_that_is_withheld_whole_does_not_hide_the_next(office: Office) -> None:
    many = PEOPLE_A_CLAIM + 2
    for number in range(many - 1):
        office.fill_in(f"person{number}@example.edu", at=SEPTEMBER)
    office.load(now=SEPTEMBER)
    office.relay.answers["RCPT"] = "450 4.2.1 later"
    office.sweep(T_7)
    office.relay.answers.clear()
    for person in office.query("SELECT person_id FROM message ORDER BY id")[:-1]:
        unsubscribe(office.engine, person, "*", now=T_7)
    office.end_leases()
    assert office.sweep(T_7 + MINUTE * 5) == {"withheld": many - 1, "accepted": 1}


def test_one_message_that_cannot_be_written_does_not_keep_the_others(office: Office, ana: int) -> None:
    office.sign_up(BEN)
    office.change("UPDATE person SET first_name = E'Ana\\r\\nBcc: all@example.edu' WHERE id = :ana", ana=ana)
    assert office.sweep(T_7) == {"retry": 1, "accepted": 1}
    assert office.relay.recipients() == [BEN]
    (outcome,) = office.query("SELECT outcome FROM message WHERE state = 'retry'")
    assert "Bcc" not in outcome
