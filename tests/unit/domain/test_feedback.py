"""What is said of a message moves it in one direction only, in whatever order it is said."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from enrollment_crm.domain.feedback import ComplaintLimit, Feedback, FeedbackKind, state_after
from enrollment_crm.domain.instants import NaiveDatetimeError
from enrollment_crm.domain.ledger import MessageState

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_every_order_of_reports_ends_in_the_same_state() -> None:
    said = (FeedbackKind.DELIVERED, FeedbackKind.DELAYED, FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED)
    for order in permutations(said):
        state = MessageState.ACCEPTED
        for kind in order:
            state = state_after(state, kind)
        assert state is MessageState.COMPLAINED


@pytest.mark.parametrize(
    "state",
    [
        MessageState.CLAIMED,
        MessageState.TRANSMITTING,
        MessageState.RETRY,
        MessageState.UNCERTAIN,
        MessageState.ACCEPTED,
    ],
)
def test_whoever_speaks_of_a_message_has_had_it(state: MessageState) -> None:
    assert state_after(state, FeedbackKind.BOUNCED) is MessageState.BOUNCED
    assert state_after(state, FeedbackKind.DELIVERED) is MessageState.DELIVERED


def test_a_delay_is_no_failure() -> None:
    assert state_after(MessageState.ACCEPTED, FeedbackKind.DELAYED) is MessageState.ACCEPTED


@pytest.mark.parametrize("state", [MessageState.FAILED, MessageState.WITHHELD])
def test_what_ended_otherwise_stays(state: MessageState) -> None:
    assert state_after(state, FeedbackKind.COMPLAINED) is state


def test_every_state_is_decided() -> None:
    for state in MessageState:
        assert state_after(state, FeedbackKind.DELAYED) is state


def test_a_report_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError):
        Feedback(kind=FeedbackKind.BOUNCED, message_id="<a@b>", source="s", fact_id="1", at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("complaints", "accepted", "stops"),
    [
        (0, 0, False),
        (2, 10, False),  # fewer than three never stop anything
        (3, 999, True),
        (3, 1000, False),  # exactly 0.3 %
        (4, 1000, True),
        (30, 10_000, False),
        (31, 10_000, True),
    ],
)
def test_complaints_over_the_share_stop_a_kind(complaints: int, accepted: int, stops: bool) -> None:
    limit = ComplaintLimit(share=0.003, window_in_days=7, at_least=3)
    assert limit.is_exceeded(complaints=complaints, accepted=accepted) is stops
