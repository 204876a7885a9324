"""Sessions on a real database: confirmation, reminders, moves and cancellations for those who registered (R10)."""

from datetime import datetime

import pytest
from tests.factories import ANA, BEN, HOUR, MINUTE, SECOND, SEPTEMBER, STARTS, Office, fact_at

from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import cancel_prep_session, move_prep_session
from enrollment_crm.workflows.feedback import take_bounce, take_complaint
from enrollment_crm.workflows.reminders import find_due, send_due

A_DAY = HOUR * 24
#: Sessions are told of in these kinds.
CONFIRMED, REMINDED, MOVED, CANCELLED = (f"session_{one}" for one in ("confirmation", "reminder", "moved", "cancelled"))


@pytest.fixture
def registered(office: Office, session: str) -> Office:
    """Ana has a seat, which is confirmed."""
    office.register(session, at=SEPTEMBER)
    assert office.sweep(SEPTEMBER) == {"accepted": 1}
    return office


def move(office: Office, starts: datetime, *, at: datetime, session: str = "prep-1") -> bool:
    with transaction(office.engine) as connection:
        return move_prep_session(connection, session, starts=starts, now=at)


def cancel(office: Office, *, at: datetime, session: str = "prep-1") -> bool:
    with transaction(office.engine) as connection:
        return cancel_prep_session(connection, session, now=at)


def test_who_registered_is_reminded_a_week_a_day_and_an_hour_before(registered: Office) -> None:
    registered.sign_up(BEN, entry_term="")
    for point in (STARTS - A_DAY * 7, STARTS - A_DAY, STARTS - HOUR):
        registered.sweep(point - SECOND)
        assert registered.sweep(point) == {"accepted": 1}
        assert registered.sweep(point) == {}
    assert registered.sent(REMINDED) == [
        "11-18T15:00Z prep-1 7d",
        "11-24T15:00Z prep-1 1d",
        "11-25T14:00Z prep-1 1h",
    ]
    assert registered.sent(REMINDED, BEN) == []


def test_a_seat_is_confirmed_once_at_once_at_any_hour(office: Office, session: str) -> None:
    at_night = SEPTEMBER.replace(hour=7)  # three in the morning in Boston
    office.register(session, at=at_night)
    office.register(session, at=at_night + MINUTE)
    assert office.sweep(at_night + MINUTE) == {"accepted": 1}
    assert office.sweep(at_night + MINUTE) == {}
    (mail,) = office.relay.taken
    assert b"METHOD:PUBLISH" in mail.content.replace(b"=\r\n", b"")


def test_a_registration_that_is_delivered_again_is_not_new(office: Office, session: str) -> None:
    assert office.register(session, at=SEPTEMBER, fact="r-1")
    assert not office.register(session, at=SEPTEMBER + MINUTE, fact="r-1")
    assert not office.register("no-such-session", at=SEPTEMBER)


def test_who_registers_after_a_point_gets_the_next(office: Office, session: str) -> None:
    office.register(session, at=STARTS - A_DAY + SECOND)
    office.live(STARTS - A_DAY + SECOND, STARTS)
    assert office.sent(REMINDED) == ["11-25T14:00Z prep-1 1h"]
    assert office.reasons() == []


def test_a_point_that_was_missed_in_an_outage_is_too_late_and_never_caught_up(registered: Office) -> None:
    registered.live(SEPTEMBER, STARTS - A_DAY * 8)
    assert registered.sweep(STARTS - HOUR * 2) == {"withheld": 2}
    assert registered.reasons() == ["11-25T13:00Z prep-1 7d too_late", "11-25T13:00Z prep-1 1d too_late"]
    assert registered.sweep(STARTS - HOUR) == {"accepted": 1}


def test_after_the_start_nothing_is_said(registered: Office) -> None:
    registered.live(SEPTEMBER, STARTS - HOUR * 2)
    registered.sweep(STARTS)
    assert registered.reasons() == ["11-25T15:00Z prep-1 1h too_late"]


def test_a_task_that_is_tried_again_after_the_session_was_moved_or_cancelled_sends_nothing(registered: Office) -> None:
    registered.live(SEPTEMBER, STARTS - HOUR - SECOND)
    (due,) = find_due(registered.outbox, now=STARTS - HOUR)
    registered.change("UPDATE prep_session SET starts = starts + interval '1 day'")
    assert dict(send_due(registered.outbox, due, now=STARTS - HOUR).counts) == {}
    registered.change("UPDATE prep_session SET starts = starts - interval '1 day', cancelled_at = now()")
    assert dict(send_due(registered.outbox, due, now=STARTS - HOUR).counts) == {}


def test_a_moved_session_is_told_once_and_the_points_of_the_new_start_that_are_ahead_follow(registered: Office) -> None:
    registered.live(SEPTEMBER, STARTS - A_DAY * 6)
    later = STARTS + A_DAY * 3
    assert move(registered, later, at=STARTS - A_DAY * 3)  # its new T-7 is a day ago
    registered.live(STARTS - A_DAY * 3, later)
    assert registered.sent(MOVED) == ["11-22T15:00Z prep-1 v1"]
    assert registered.sent(REMINDED) == [
        "11-18T15:00Z prep-1 7d",
        "11-27T15:00Z prep-1 1d",
        "11-28T14:00Z prep-1 1h",
    ]
    assert registered.reasons() == []
    assert b"SEQUENCE:1" in registered.relay.taken[2].content.replace(b"=\r\n", b"")


def test_a_session_that_is_moved_twice_and_back_is_told_of_each_time(registered: Office) -> None:
    for number, starts in enumerate((STARTS + A_DAY, STARTS)):
        now = SEPTEMBER + HOUR * (number + 1)
        assert move(registered, starts, at=now)
        assert not move(registered, starts, at=now)  # it begins then already
        registered.sweep(now)
    assert [one[-2:] for one in registered.sent(MOVED)] == ["v1", "v2"]


def test_who_registers_after_the_move_is_told_of_no_move(registered: Office) -> None:
    assert move(registered, STARTS + A_DAY, at=SEPTEMBER + HOUR)
    registered.register("prep-1", BEN, at=SEPTEMBER + HOUR * 2)
    registered.sweep(SEPTEMBER + HOUR * 2)
    assert registered.sent(MOVED, BEN) == []
    assert len(registered.sent(CONFIRMED, BEN)) == len(registered.sent(MOVED)) == 1


def test_a_cancelled_session_is_told_once_and_nothing_more_is_said(registered: Office) -> None:
    assert cancel(registered, at=STARTS - A_DAY * 2)
    assert not cancel(registered, at=STARTS - A_DAY * 2)
    assert not move(registered, STARTS + A_DAY, at=STARTS - A_DAY)
    registered.live(STARTS - A_DAY * 2, STARTS)
    assert len(registered.sent(CANCELLED)) == 1
    assert [one for one in registered.sent(REMINDED) if "7d" not in one] == []
    assert b"METHOD:CANCEL" in registered.relay.taken[-1].content.replace(b"=\r\n", b"")
    assert not registered.register("prep-1", BEN, at=STARTS - A_DAY)


@pytest.mark.parametrize("reason", ["complained", "bounced"])
def test_r7_where_nobody_reads_nothing_is_said_of_a_session_either(office: Office, session: str, reason: str) -> None:
    office.register(session, at=SEPTEMBER)
    if reason == "bounced":
        take_bounce(office.engine, ANA, "5.1.1", fact=fact_at(SEPTEMBER))
    else:
        take_complaint(office.engine, ANA, fact=fact_at(SEPTEMBER))
    assert office.sweep(SEPTEMBER) == {"withheld": 1}
    assert office.withheld() == [reason]
