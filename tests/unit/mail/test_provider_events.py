"""Events of the mail provider, in the shape that Resend gives them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.mail.letters import MESSAGE_ID, NOW

from enrollment_crm.domain.feedback import Feedback, FeedbackKind
from enrollment_crm.mail.provider_events import EventUnreadable, read_provider_event
from enrollment_crm.mail.provider_requests import MESSAGE_TAG

IDENTITY = MESSAGE_ID.strip("<>").partition("@")[0]


def event(kind: str = "email.delivered", *, bounce: Any = None, **data: Any) -> dict[str, Any]:
    """As the provider posts it."""
    about = {
        "broadcast_id": None,
        "created_at": "2026-11-24T14:00:00.000Z",
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "from": "Admissions <admissions@crm.example>",
        "to": ["ana@example.edu"],
        "subject": "Your deadline",
        "headers": [{"name": "Message-ID", "value": MESSAGE_ID}],
    }
    about |= {"bounce": bounce} if bounce is not None else {}
    return {"type": kind, "created_at": "2026-11-24T14:00:00.000Z", "data": about | data}


def read(one: dict[str, Any]) -> Feedback | None:
    return read_provider_event(one, source="mail-provider", mail_domain="crm.example", received_at=NOW)


def said(one: dict[str, Any]) -> Feedback:
    feedback = read(one)
    assert feedback is not None
    return feedback


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("email.delivered", FeedbackKind.DELIVERED),
        ("email.delivery_delayed", FeedbackKind.DELAYED),
        ("email.bounced", FeedbackKind.BOUNCED),
        ("email.complained", FeedbackKind.COMPLAINED),
    ],
)
def test_what_is_acted_on(kind: str, expected: FeedbackKind) -> None:
    told = said(event(kind))
    assert (told.kind, told.message_id, told.at) == (expected, MESSAGE_ID, datetime(2026, 11, 24, 14, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["email.sent", "email.opened", "email.clicked", "contact.created", "", None])
def test_what_says_nothing_to_act_on(kind: Any) -> None:
    assert read(event(kind)) is None


@pytest.mark.parametrize(
    "data",
    [
        {"headers": {"message-id": MESSAGE_ID}},
        {"headers": [], "message_id": MESSAGE_ID},
        {"headers": None, "tags": {MESSAGE_TAG: IDENTITY}},
        {"headers": None, "tags": [{"name": MESSAGE_TAG, "value": IDENTITY}]},
    ],
)
def test_the_message_is_named_by_a_header_or_a_tag(data: dict[str, Any]) -> None:
    assert said(event(**data)).message_id == MESSAGE_ID


@pytest.mark.parametrize(
    "headers", [None, [], "x", [1], [{"name": "Message-ID", "value": "<x@y>"}], {"Message-ID": None}]
)
def test_an_event_about_no_message_of_ours_is_unreadable(headers: Any) -> None:
    with pytest.raises(EventUnreadable, match="names no message"):
        read(event(headers=headers))


@pytest.mark.parametrize("data", [None, [], "x"])
def test_an_event_of_another_shape_is_unreadable(data: Any) -> None:
    with pytest.raises(EventUnreadable):
        read({"type": "email.bounced", "data": data})


@pytest.mark.parametrize(
    ("bounce", "status"),
    [
        ({"type": "Permanent", "subType": "General", "message": "smtp; 550 5.1.1 unknown"}, "5.1.1"),
        ({"type": "Permanent", "subType": "Suppressed", "message": "on the list of the provider"}, "5.1.1"),
        ({"type": "Permanent", "subType": "NoEmail", "message": ""}, "5.1.1"),
        ({"type": "Permanent", "subType": "General", "message": "no"}, "5.0.0"),
        ({"type": "Transient", "subType": "MailboxFull", "message": "full"}, "4.0.0"),
        ({"type": "Transient", "message": "452 4.2.2 full"}, "4.2.2"),
        ({"type": "Undetermined"}, "5.0.0"),
        ({}, "5.0.0"),
        ("x", "5.0.0"),
    ],
)
def test_the_status_of_a_bounce(bounce: Any, status: str) -> None:
    assert said(event("email.bounced", bounce=bounce)).status == status


def test_words_are_kept_without_addresses() -> None:
    told = said(event("email.bounced", bounce={"message": "550 5.1.1 <ana@example.edu> unknown"}))
    assert told.detail == "550 5.1.1 <<address>> unknown"


@pytest.mark.parametrize("instant", ["2034-01-01T00:00:00Z", "nonsense", "2026-11-24T14:00:00", None, 5])
def test_nothing_happened_later_than_it_reached_us(instant: Any) -> None:
    assert said(event() | {"created_at": instant}).at == NOW


def test_an_event_that_is_delivered_twice_has_one_name() -> None:
    assert said(event()).fact_id == said(event(to=["x@example.edu"])).fact_id
    assert said(event()).fact_id != said(event("email.complained")).fact_id
