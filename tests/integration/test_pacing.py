"""Recipient domains with a limit get no more than that; all workers share it, and nobody else waits."""

from dataclasses import replace
from datetime import timedelta

from tests.factories import MINUTE, T_7, Office

from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import send_reminders


def limited(office: Office, *, a_minute: int, patience: timedelta = timedelta(0)) -> Outbox:
    """The outbox of another worker, with a limit for example.org."""
    return replace(office.another(), messages_a_minute={"example.org": a_minute}, patience=patience)


def people(office: Office, number: int, domain: str = "example.org") -> None:
    for one in range(number):
        office.sign_up(f"person{one}@{domain}")


def test_what_is_over_the_limit_waits_for_its_turn_and_does_not_fail(office: Office) -> None:
    people(office, 5)
    people(office, 3, "example.edu")
    assert dict(send_reminders(limited(office, a_minute=20), now=T_7).counts) == {"accepted": 5, "over_limit": 3}
    assert [one for one in office.relay.recipients() if one.endswith(".edu")] == [
        f"person{one}@example.edu" for one in range(3)
    ]
    rows = office.query(
        "SELECT state, refusals, attempts, outcome, extract(epoch FROM retry_at - now())::float FROM message "
        "WHERE state = 'retry' ORDER BY retry_at"
    )
    assert [row[:3] for row in rows] == [("retry", 0, 0)] * 3
    assert all("CRM_MESSAGES_A_MINUTE" in row[3] for row in rows)
    # Three seconds apart, behind the two that went.
    assert [round(row[4]) for row in rows] == [9, 12, 15] or [round(row[4]) for row in rows] == [8, 11, 14]


def test_two_workers_share_the_limit(office: Office) -> None:
    people(office, 4)
    send_reminders(limited(office, a_minute=20), now=T_7)
    for one in range(4):
        office.sign_up(f"later{one}@example.org")
    office.end_leases()
    assert dict(send_reminders(limited(office, a_minute=20), now=T_7 + MINUTE).counts)["over_limit"] == 6
    assert len(office.relay.taken) == 2


def test_what_is_taken_up_again_waits_for_its_turn(office: Office) -> None:
    people(office, 8, "sub.example.edu")
    slow = replace(
        limited(office, a_minute=60, patience=timedelta(seconds=10)), messages_a_minute={"sub.example.edu": 60}
    )
    first = dict(send_reminders(slow, now=T_7 + MINUTE).counts)
    assert first == {"accepted": 6, "over_limit": 2}
    office.change(
        "UPDATE message SET retry_at = now() + (id - (SELECT min(id) FROM message WHERE state = 'retry')) "
        "* interval '1 second' WHERE state = 'retry'"
    )
    office.change("UPDATE domain_pace SET next_at = now(), backlog_until = now()")
    again = dict(send_reminders(slow, now=T_7 + MINUTE * 2).counts)
    assert again["accepted"] == 2
    assert len(office.relay.taken) == 8
