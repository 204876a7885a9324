"""Events of the mail provider wait raw in the inbox, and are taken in once; what cannot be read is kept aside."""

import json
from typing import Any

import pytest
from tests.factories import ANA, HOUR, T_7, T_14, Office
from tests.unit.mail.test_provider_events import event

from enrollment_crm.bootstrap import webhooks_of
from enrollment_crm.domain.feedback import FeedbackRecord
from enrollment_crm.settings import Settings
from enrollment_crm.sources.webhooks import rows_in
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import keep_raw_rows
from enrollment_crm.workflows.provider_events import take_provider_events
from enrollment_crm.workflows.webhooks import receive_webhook

NOW = T_14 + HOUR


def post(office: Office, *events: dict[str, Any]) -> None:
    with transaction(office.engine) as connection:
        keep_raw_rows(connection, events, source="mail-provider", kind=FeedbackRecord.MAIL_EVENT.value, received_at=NOW)


def take(office: Office, **how: Any) -> dict[str, int]:
    return take_provider_events(office.engine, mail_domain="crm.example", now=NOW, **how)


@pytest.fixture
def about(office: Office) -> dict[str, Any]:
    """What names the one message that went out."""
    office.sign_up(ANA)
    office.sweep(T_14)
    return {"headers": {"Message-ID": office.query("SELECT message_id FROM message")[0]}}


def test_a_hard_bounce_of_the_provider_is_a_hard_bounce(office: Office, about: dict[str, Any]) -> None:
    bounce = {"type": "Permanent", "subType": "General", "message": "550 5.1.1 unknown"}
    post(office, event("email.bounced", bounce=bounce, **about))
    assert take(office) == {"events": 1, "bounced": 1, "suppressed": 1}
    assert office.states() == ["bounced"]
    assert office.sweep(T_7) == {"withheld": 1}
    assert office.query("SELECT outcome FROM inbox WHERE kind = 'mail_event'") == ["accepted"]
    assert take(office) == {}


def test_what_is_posted_to_the_public_site_is_taken_in(office: Office, about: dict[str, Any]) -> None:
    secret = {"MAIL_PROVIDER_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    provider = webhooks_of(Settings(), secret)["mail-provider"]
    rows = rows_in(json.dumps(event("email.delivered", **about)).encode())
    for _ in range(2):
        receive_webhook(office.engine, provider, "msg_1", rows, now=NOW)
    assert take(office) == {"events": 1, "delivered": 1}
    assert office.states() == ["delivered"]


def test_events_in_the_wrong_order_end_in_the_same_state(office: Office, about: dict[str, Any]) -> None:
    post(office, event("email.complained", **about), event("email.delivered", **about))
    assert take(office) == {"events": 2, "complained": 1, "delivered": 1, "suppressed": 1}
    assert office.states() == ["complained"]


def test_an_event_that_is_delivered_twice_counts_once(office: Office, about: dict[str, Any]) -> None:
    post(office, event("email.delivered", **about))
    take(office)
    post(office, event("email.delivered", **about) | {"attempt": 2})
    assert take(office) == {"events": 1, "repeated": 1}


def test_what_cannot_be_read_is_kept_aside_with_the_reason(office: Office, about: dict[str, Any]) -> None:
    post(
        office,
        event("email.bounced", headers=[]),
        event("email.bounced", headers={"Message-ID": f"<{'f' * 32}@crm.example>"}),
        event("email.opened", **about),
        {"type": "email.bounced", "data": 5},
    )
    assert take(office) == {"events": 4, "nothing": 1, "quarantined": 3, "unknown_message": 1}
    reasons = office.query("SELECT reason FROM quarantine ORDER BY inbox_id")
    assert "names no message of ours" in str(reasons[0])
    assert "ledger has no message" in str(reasons[1])
    rows = "SELECT rows_in, accepted, quarantined FROM batch WHERE kind = 'mail_event'"
    assert office.query(rows) == [(4, 1, 3)]


def test_a_dry_run_keeps_nothing(office: Office, about: dict[str, Any]) -> None:
    post(office, event("email.delivered", **about))
    assert take(office, dry_run=True) == {"events": 1, "delivered": 1}
    assert office.states() == ["accepted"]
    assert take(office) == {"events": 1, "delivered": 1}
