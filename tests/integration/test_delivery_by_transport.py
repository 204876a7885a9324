"""What a guard, a Postfix log and a provider mean for the ledger: the same states, whatever hands over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from tests.factories import ANA, T_7, T_30, Office
from tests.fakes import Interrupted, Killed, kill
from tests.integration.provider_api import KEY, ProviderApi, failure

from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.mail.allowed_recipients import AllowedRecipients, GuardedTransport
from enrollment_crm.mail.postfix_log import PostfixAcceptLog
from enrollment_crm.mail.provider import ProviderOptions, ProviderTransport
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.workflows.delivery import reconcile
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.reminders import send_reminders


@pytest.fixture(autouse=True)
def ana(office: Office) -> int:
    """Somebody who is due at every point of 1 December."""
    return office.sign_up(ANA)


@pytest.fixture
def api(httpserver: HTTPServer) -> ProviderApi:
    one = ProviderApi()
    httpserver.expect_request("/emails", method="POST").respond_with_handler(one)
    return one


@pytest.fixture
def by_provider(office: Office, httpserver: HTTPServer, api: ProviderApi) -> Iterator[Outbox]:
    """An outbox whose messages go to the local provider, an hour after T-7."""
    transport = provider(httpserver, T_7 + timedelta(hours=1))
    yield replace(office.outbox, transport=transport)
    transport.close()


def provider(httpserver: HTTPServer, now: datetime) -> ProviderTransport:
    options = ProviderOptions(url=httpserver.url_for(""), key=KEY, timeout_in_seconds=2)
    return ProviderTransport(options, clock=lambda: now, pause=lambda _: None)


def test_a_domain_that_is_not_listed_ends_as_failed_and_is_no_bounce(office: Office) -> None:
    guarded = GuardedTransport(office.outbox.transport, AllowedRecipients.listed("school.example"))
    assert dict(send_reminders(replace(office.outbox, transport=guarded), now=T_30).counts) == {"failed": 1}
    assert office.relay.offered == []
    ((outcome, attempts),) = office.query("SELECT outcome, attempts FROM message")
    assert "CRM_ALLOWED_RECIPIENT_DOMAINS" in outcome
    assert attempts == 0
    assert office.query("SELECT count(*) FROM bounce") == [0]
    # The address is as good as before: the next message goes out where it may.
    assert office.sweep(T_7)["accepted"] == 1


def test_what_the_provider_took_is_accepted_with_its_name_for_it(
    office: Office, by_provider: Outbox, api: ProviderApi
) -> None:
    assert dict(send_reminders(by_provider, now=T_7).counts) == {"accepted": 1}
    assert office.query("SELECT outcome FROM message") == ["200 49a3999c-0"]
    (body,) = api.sent
    (content,) = office.frozen()
    assert [body["headers"]["Message-ID"]] == office.query("SELECT message_id FROM message")
    assert body["subject"].encode() in content


def test_a_worker_that_was_killed_after_the_provider_took_it_sends_no_second_copy(
    office: Office, by_provider: Outbox, api: ProviderApi
) -> None:
    with pytest.raises(Killed):
        send_reminders(replace(by_provider, transport=Interrupted(by_provider.transport, after_reply=kill)), now=T_7)
    office.end_leases()
    assert dict(send_reminders(by_provider, now=T_7 + timedelta(minutes=30)).counts)["accepted"] == 1
    assert (len(api.requests), len(api.sent)) == (2, 1)


def test_after_the_window_of_the_keys_the_policy_of_the_kind_decides(
    office: Office, by_provider: Outbox, api: ProviderApi, httpserver: HTTPServer
) -> None:
    thirty = replace(by_provider, transport=Interrupted(provider(httpserver, T_30), after_reply=kill))
    with pytest.raises(Killed):
        send_reminders(thirty, now=T_30)
    office.end_leases()
    api.forget_keys()
    late = replace(by_provider, transport=provider(httpserver, T_30 + timedelta(days=2)))
    assert dict(send_reminders(late, now=T_30 + timedelta(days=2)).counts) == {"uncertain": 1}
    assert len(api.sent) == 1


@pytest.mark.parametrize(
    ("point", "days", "end", "copies"),
    [
        pytest.param(T_30, 0, "accepted", 1, id="within the window: the key is known"),
        pytest.param(T_30, 2, "uncertain", 1, id="after it: operations look it up"),
        pytest.param(T_7, 2, "accepted", 2, id="after it: a last reminder is worth a second copy"),
    ],
)
def test_what_waited_since_it_was_asked_about_is_asked_about_again(
    office: Office, httpserver: HTTPServer, api: ProviderApi, *, point: datetime, days: int, end: str, copies: int
) -> None:
    """A stopped campaign, or a machine that stood still, may hold a message for longer than a key is known."""
    first = replace(office.outbox, transport=provider(httpserver, point))
    api.instead = ["take and 500"] * 3
    assert dict(send_reminders(first, now=point).counts) == {"transmitting": 1}
    office.end_leases()
    assert dict(reconcile(first, now=point + timedelta(hours=1)).counts) == {"retry": 1}
    if days:
        api.forget_keys()
    later = point + timedelta(days=days, hours=2)
    late = replace(office.outbox, transport=provider(httpserver, later))
    api.instead = [partial(failure, 429, "rate_limit_exceeded", "Later", Retry_After="60")]
    if end == "accepted":  # refused before it is taken: what was decided still holds
        with pytest.raises(RelayDownError):
            send_reminders(late, now=later)
        office.end_leases()
    assert dict(send_reminders(late, now=later).counts) == {end: 1}
    assert office.query("SELECT DISTINCT state FROM message") == [end]
    assert len(api.sent) == copies


def test_a_key_that_the_provider_does_not_know_stops_the_campaign(
    office: Office, by_provider: Outbox, api: ProviderApi
) -> None:
    api.instead = [partial(failure, 403, "invalid_api_key", "API key is invalid")]
    with pytest.raises(CampaignStoppedError):
        send_reminders(by_provider, now=T_7)
    assert office.query("SELECT state FROM message") == ["retry"]
    assert office.query("SELECT count(*) FROM bounce") == [0]


@pytest.mark.parametrize(("queued", "state"), [(True, "accepted"), (False, "retry")])
def test_a_postfix_log_settles_what_a_killed_worker_left(
    office: Office, tmp_path: Path, queued: bool, state: str
) -> None:
    options = SmtpOptions(host="127.0.0.1", port=office.relay.port, helo_name="crm.example")
    log = PostfixAcceptLog(tmp_path / "mail.log")
    killed = Interrupted(SmtpTransport(options, accept_log=log), after_reply=kill)
    with pytest.raises(Killed):
        send_reminders(replace(office.outbox, transport=killed), now=T_30)
    (message_id,) = office.query("SELECT message_id FROM message")
    stamp = f"{datetime(2026, 10, 1, tzinfo=UTC).isoformat()} mail postfix"
    lines = [f"{stamp}/cleanup[1]: 4AbC0: message-id=<another@crm.example>"]
    if queued:
        lines += [f"{stamp}/cleanup[1]: 4AbC1: message-id={message_id}"]
        lines += [f"{stamp}/smtp[1]: 4AbC1: to=<x@y.example>, status=sent (250 OK)"]
    log.path.write_text("\n".join(lines) + "\n")
    office.end_leases()
    resumed = replace(office.outbox, transport=SmtpTransport(options, accept_log=log))
    assert dict(send_reminders(resumed, now=T_30 + timedelta(minutes=30)).counts)[state] == 1
    # A log that never saw it is believed as well: the relay of this test took it and wrote nothing down.
    assert len(office.relay.taken) == (1 if queued else 2)
