"""The ledger: what makes a message itself, how long to wait, and when a duplicate is worth it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.ledger import (
    ClaimedMessage,
    Cover,
    Reader,
    message_key,
    resend_when_unknown,
    retry_delay,
)
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.residency import Residency

ANA = Reader(
    person_id=42,
    email="ana@example.edu",
    first_name="Ana",
    last_name="Silva",
    residency=Residency.DOMESTIC,
    zone="Asia/Shanghai",
    owner="domestic-desk",
)
EARLY = Cover(
    program="ms-test", entry_term="fall 2027", round="early_action", stated_date=date(2026, 12, 1), offset="7d"
)
FINAL = Cover(program="ms-test", entry_term="spring 2027", round="final", stated_date=date(2026, 12, 1), offset="7d")
SESSION = Cover(prep_session_id="prep-1", session_starts=datetime(2026, 11, 25, 15, tzinfo=UTC), offset="1d")


def message(
    *covers: Cover, kind: MessageKind = MessageKind.DEADLINE_REMINDER, message_id: int = 1, attempts: int = 0
) -> ClaimedMessage:
    return ClaimedMessage(
        id=message_id,
        kind=kind,
        token=1,
        due_at=datetime(2026, 11, 24, 2, tzinfo=UTC),
        attempts=attempts,
        refusals=0,
        reader=ANA,
        covers=covers,
    )


def test_the_key_of_a_deadline_reminder() -> None:
    """Literal on purpose: another key for the same message is another Message-ID, and a duplicate."""
    assert message_key(message(EARLY)) == "42:deadline_reminder:ms-test/fall 2027/early_action/2026-12-01/7d"


def test_the_key_of_a_message_that_covers_two_deadlines_does_not_depend_on_their_order() -> None:
    expected = (
        "42:deadline_reminder:ms-test/fall 2027/early_action/2026-12-01/7d+ms-test/spring 2027/final/2026-12-01/7d"
    )
    assert message_key(message(EARLY, FINAL)) == message_key(message(FINAL, EARLY)) == expected


def test_the_key_of_a_session_reminder_names_the_start_so_that_a_moved_session_is_another() -> None:
    key = message_key(message(SESSION, kind=MessageKind.SESSION_REMINDER))
    assert key == "42:session_reminder:prep-1/2026-11-25T15:00:00+00:00/1d"


def test_the_key_of_a_session_reminder_does_not_depend_on_the_zone_of_the_database() -> None:
    elsewhere = Cover(
        prep_session_id="prep-1",
        session_starts=datetime.fromisoformat("2026-11-25T10:00:00-05:00"),
        offset="1d",
    )
    kind = MessageKind.SESSION_REMINDER
    assert message_key(message(elsewhere, kind=kind)) == message_key(message(SESSION, kind=kind))


def test_the_key_of_a_welcome_without_a_term() -> None:
    assert message_key(message(Cover(program="ms-test"), kind=MessageKind.WELCOME)) == "42:welcome:ms-test"


@pytest.mark.parametrize(
    ("kind", "cover", "key"),
    [
        (
            MessageKind.DEADLINE_MOVED,
            replace(EARLY, stated_date=date(2026, 12, 15), offset="v2"),
            "42:deadline_moved:ms-test/fall 2027/early_action/2026-12-15/v2",
        ),
        (
            MessageKind.SESSION_INVITATION,
            replace(SESSION, offset="7d"),
            "42:session_invitation:prep-1/2026-11-25T15:00:00+00:00/7d",
        ),
        (
            MessageKind.SESSION_MOVED,
            replace(SESSION, offset=None),
            "42:session_moved:prep-1/2026-11-25T15:00:00+00:00",
        ),
    ],
)
def test_the_keys_of_the_other_kinds(kind: MessageKind, cover: Cover, key: str) -> None:
    assert message_key(message(cover, kind=kind)) == key


def test_the_key_of_a_reminder_names_the_invitation_that_is_folded_into_it() -> None:
    key = message_key(message(EARLY, replace(SESSION, offset="7d")))
    assert key == (
        "42:deadline_reminder:ms-test/fall 2027/early_action/2026-12-01/7d+prep-1/2026-11-25T15:00:00+00:00/7d"
    )


def test_no_name_or_address_is_in_a_key() -> None:
    assert not any(word in message_key(message(EARLY)) for word in ("Ana", "Silva", "ana@", "Shanghai", "domestic"))


@pytest.mark.parametrize(
    ("refusals", "minutes"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (8, 128), (9, 240), (50, 240)]
)
def test_the_pause_doubles_with_each_refusal_to_four_hours_and_up_to_half_as_much_again(
    refusals: int, minutes: int
) -> None:
    pauses = [retry_delay(message(EARLY, message_id=one), refusals=refusals) for one in range(1, 200)]
    least = timedelta(minutes=minutes)
    assert min(pauses) >= least
    assert max(pauses) <= least * 1.5
    assert max(pauses) - min(pauses) > least * 0.45  # spread, so that they do not come back together


def test_messages_that_were_refused_one_after_the_other_come_back_apart() -> None:
    pauses = [retry_delay(message(EARLY, message_id=one), refusals=1) for one in range(1, 50)]
    assert min(abs(a - b) for a, b in pairwise(pauses)) > timedelta(seconds=5)


@given(st.integers(1, 2**40), st.integers(0, 100))
def test_a_message_always_waits_the_same(message_id: int, refusals: int) -> None:
    one = message(EARLY, message_id=message_id)
    assert retry_delay(one, refusals=refusals) == retry_delay(one, refusals=refusals)
    assert retry_delay(one, refusals=refusals) <= retry_delay(one, refusals=refusals + 1)


@pytest.mark.parametrize(
    ("offset", "attempts", "worth_it"),
    [
        ("7d", 1, True),
        ("1d", 1, True),
        ("30d", 1, False),
        ("14d", 1, False),
        ("1h", 1, False),
        (None, 1, False),
        ("1d", 2, False),  # once
    ],
)
def test_an_unknown_outcome_is_worth_one_more_copy_of_the_last_reminders_only(
    offset: str | None, attempts: int, worth_it: bool
) -> None:
    assert resend_when_unknown(message(Cover(program="ms-test", offset=offset), attempts=attempts)) is worth_it


@pytest.mark.parametrize(
    ("kind", "offset", "worth_it"),
    [
        (MessageKind.WELCOME, None, False),
        (MessageKind.APPLICATION_RECEIVED, None, False),
        (MessageKind.CHECKLIST_REMINDER, "14d", False),
        (MessageKind.CHECKLIST_REMINDER, "7d", True),
        (MessageKind.DEADLINE_MOVED, "v2", True),
        (MessageKind.SESSION_INVITATION, "7d", False),
        (MessageKind.SESSION_CONFIRMATION, None, True),
        (MessageKind.SESSION_REMINDER, "7d", True),
        (MessageKind.SESSION_REMINDER, "1h", False),
        (MessageKind.SESSION_MOVED, None, True),
        (MessageKind.SESSION_CANCELLED, None, True),
    ],
)
def test_and_of_what_says_that_a_date_is_another_than_the_reader_knows(
    kind: MessageKind, offset: str | None, worth_it: bool
) -> None:
    one = message(Cover(prep_session_id="prep-1", offset=offset), kind=kind, attempts=1)
    assert resend_when_unknown(one) is worth_it
    assert not resend_when_unknown(replace(one, attempts=2))


def test_a_folded_invitation_does_not_make_an_early_reminder_worth_a_duplicate() -> None:
    invitation = replace(SESSION, offset="7d")
    assert not resend_when_unknown(message(replace(EARLY, offset="14d"), invitation, attempts=1))
    assert resend_when_unknown(message(EARLY, invitation, attempts=1))
