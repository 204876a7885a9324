"""Secrets of webhooks come from the environment; a source without one is denied, and the log says what to set."""

import pytest

from enrollment_crm.bootstrap import webhooks_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.feedback import FeedbackRecord
from enrollment_crm.domain.webhooks import WebhookSource, key_of
from enrollment_crm.settings import Settings

ONE, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NEW, BEFORE = "EVENTS_WEBHOOK_SECRET", "EVENTS_WEBHOOK_SECRET_BEFORE"


@pytest.mark.parametrize(
    ("environment", "secrets"),
    [
        ({NEW: ONE}, [ONE]),
        ({NEW: ONE, BEFORE: OTHER}, [ONE, OTHER]),
        ({NEW: "", BEFORE: OTHER}, [OTHER]),
        ({NEW: f" {ONE}\n", BEFORE: "mistyped"}, [ONE]),
    ],
)
def test_the_live_secrets_of_a_source(environment: dict[str, str], secrets: list[str]) -> None:
    expected = WebhookSource("events_webhook", RecordKind.SIGNUP, tuple(map(key_of, secrets)))
    assert webhooks_of(Settings(), environment) == {"events_webhook": expected}


def test_without_a_secret_the_source_is_denied_and_the_log_says_what_to_set(caplog: pytest.LogCaptureFixture) -> None:
    assert webhooks_of(Settings(), {}) == {}
    assert (
        f"webhook events_webhook: no secret, so every post is answered with 404; set {NEW} or {BEFORE}" in caplog.text
    )


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_ä", "whsec_" + "A" * 100, "v1,abc"])
def test_an_unusable_secret_is_named_and_not_shown(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    assert webhooks_of(Settings(), {NEW: secret}) == {}
    assert f"{NEW} is not used. The secret is no webhook secret. Copy it whole" in caplog.text
    assert secret == "whsec_" or secret not in caplog.text


def test_secrets_are_not_shown() -> None:
    (source,) = webhooks_of(Settings(), {NEW: ONE}).values()
    assert repr(key_of(ONE)) not in repr(source)


def test_the_mail_provider_posts_events_and_no_rows_of_people() -> None:
    (source,) = webhooks_of(Settings(), {"MAIL_PROVIDER_WEBHOOK_SECRET": ONE}).values()
    assert (source.source, source.kind) == ("mail-provider", FeedbackRecord.MAIL_EVENT)
