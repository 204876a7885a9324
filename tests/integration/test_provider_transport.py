"""The provider's API as a transport, against a local server of its shape on a real socket."""

import base64
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from pytest_httpserver import HTTPServer
from tests.integration.provider_api import KEY, ProviderApi, failure
from werkzeug import Response

from enrollment_crm.mail.bodies import CalendarFile, CalendarMethod
from enrollment_crm.mail.messages import OutgoingMessage, Recipient, Sender, build_message
from enrollment_crm.mail.provider import ProviderOptions, ProviderTransport
from enrollment_crm.mail.templates import RenderedEmail
from enrollment_crm.mail.transport import (
    AddressRefused,
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TransportError,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MESSAGE_ID = "<0123456789abcdef0123456789abcdef@crm.example>"
WAY_OUT = "https://crm.example/unsubscribe/1.7.deadlines.ab"
ICS = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def message(to: str = "ana@example.org", *, marketing: bool = True, calendar: bool = False) -> OutgoingMessage:
    rendered = RenderedEmail(
        name="welcome",
        subject="Dates für Ana, 日本",
        text="Guten Tag, Ana\n",
        html="<p>Guten Tag, é</p>\n",
        template_version="v1",
        purpose="marketing" if marketing else "transactional",
        topic="deadlines",
    )
    return build_message(
        rendered,
        recipient=Recipient("Ana Silva-Canary", to),
        sender=Sender('Graduate "Admissions"', "admissions@crm.example", "answers@crm.example", "crm.example"),
        message_id=MESSAGE_ID,
        envelope_sender="bounces+1@crm.example",
        feedback_id="welcome:p:v1:crm.example",
        unsubscribe_url=WAY_OUT if marketing else None,
        calendar=CalendarFile(CalendarMethod.PUBLISH, ICS) if calendar else None,
        now=NOON,
    )


def go_on() -> None:
    """Let the message go out."""


@pytest.fixture
def api(httpserver: HTTPServer) -> ProviderApi:
    one = ProviderApi()
    httpserver.expect_request("/emails", method="POST").respond_with_handler(one)
    return one


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def transport(httpserver: HTTPServer, api: ProviderApi, pauses: list[float]) -> Iterator[ProviderTransport]:
    options = ProviderOptions(url=httpserver.url_for(""), key=KEY, timeout_in_seconds=1)
    one = ProviderTransport(options, clock=lambda: NOON, pause=pauses.append)
    yield one
    one.close()


def test_what_the_provider_is_told(transport: ProviderTransport, api: ProviderApi) -> None:
    assert transport.send(message(calendar=True), before_data=go_on) == "200 49a3999c-0"
    (body,), (request,) = api.sent, api.requests
    assert request.headers["Idempotency-Key"] == MESSAGE_ID
    assert body["to"] == ["ana@example.org"]
    assert body["from"] == '"Graduate \\"Admissions\\"" <admissions@crm.example>'
    assert body["reply_to"] == "answers@crm.example"
    assert body["subject"] == "Dates für Ana, 日本"
    assert (body["text"], body["html"]) == ("Guten Tag, Ana\n", "<p>Guten Tag, &#233;</p>\n")
    assert body["headers"] == {
        "Message-ID": MESSAGE_ID,
        "Auto-Submitted": "auto-generated",
        "Feedback-ID": "welcome:p:v1:crm.example",
        "List-Unsubscribe": f"<{WAY_OUT}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    (attachment,) = body["attachments"]
    assert base64.b64decode(attachment["content"]).decode() == ICS
    assert attachment["content_type"] == "text/calendar; method=PUBLISH; charset=utf-8"
    assert body["tags"] == [{"name": "message", "value": MESSAGE_ID[1:33]}]
    assert "Canary" not in str(body)


def test_a_transactional_message_has_no_way_out(transport: ProviderTransport, api: ProviderApi) -> None:
    transport.send(message(marketing=False), before_data=go_on)
    assert not [name for name in api.sent[0]["headers"] if name.startswith("List-")]


def test_one_connection_carries_many_messages(transport: ProviderTransport, api: ProviderApi) -> None:
    for _ in range(5):
        transport.send(message(), before_data=go_on)
    assert len(api.requests) == 5
    assert len(api.sent) == 1  # the same message five times is one


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, "validation_error", "Invalid `to` field: ana@example.org"), AddressRefused),
        ((422, "validation_error", "Invalid `to` field. The email address needs ..."), AddressRefused),
        ((422, "missing_required_field", "Missing `subject` field."), SenderRefused),
        ((400, "invalid_idempotency_key", "The key must be between 1-256 chars."), SenderRefused),
        ((401, "restricted_api_key", "This API key is restricted"), SenderRefused),
        ((403, "validation_error", "You can only send to your own address (ana@example.org)"), SenderRefused),
        ((404, "not_found", "The requested endpoint does not exist"), SenderRefused),
        ((307, "moved", "elsewhere"), SenderRefused),
        ((409, "concurrent_idempotent_requests", "still in progress"), OutcomeUnknown),
        ((409, "invalid_idempotent_request", "other payload"), OutcomeUnknown),
        ((500, "application_error", "An unexpected error occurred"), OutcomeUnknown),
        ((502, "", "Bad gateway"), OutcomeUnknown),
        ((503, "service_unavailable", "maintenance"), RelayUnreachable),
        ((429, "daily_quota_exceeded", "You have reached your daily quota"), RelayUnreachable),
    ],
)
def test_every_way_to_fail_has_its_name(
    transport: ProviderTransport,
    api: ProviderApi,
    answer: tuple[int, str, str],
    error: type[TransportError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    api.instead = [partial(failure, *answer, Location="http://127.0.0.1:1/")] * 9
    with pytest.raises(TransportError) as refusal:
        transport.send(message(), before_data=go_on)
    assert type(refusal.value) is error
    assert refusal.value.reply == f"{answer[0]} {answer[1]}".strip()
    for secret in ("ana@example.org", KEY):
        assert secret not in f"{refusal.value!r} {caplog.text}"
    api.instead.clear()
    assert transport.send(message(), before_data=go_on).startswith("200")


def test_a_rate_limit_is_waited_out_for_seconds(
    transport: ProviderTransport, api: ProviderApi, pauses: list[float]
) -> None:
    api.instead = [partial(failure, 429, "rate_limit_exceeded", "slow down", Retry_After="2")] * 2
    assert transport.send(message(), before_data=go_on).startswith("200")
    assert pauses == [2.0, 2.0]


def test_a_long_pause_is_the_ledgers(transport: ProviderTransport, api: ProviderApi, pauses: list[float]) -> None:
    api.instead = [partial(failure, 429, "rate_limit_exceeded", "slow down", Retry_After="3600")] * 9
    with pytest.raises(RelayUnreachable):
        transport.send(message(), before_data=go_on)
    assert (pauses, len(api.requests)) == ([], 1)


def slow() -> Response:
    time.sleep(1.3)
    return Response("{}", 200)


def html() -> Response:
    return Response("<html>ana@example.org</html>", 502, content_type="text/html")


@pytest.mark.parametrize("lost", ["taken, then 500", slow, html])
def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_key(
    transport: ProviderTransport, api: ProviderApi, lost: Callable[[], Response] | str
) -> None:
    api.instead = [lost]
    reply = transport.send(message(), before_data=go_on)
    assert reply.startswith("200")
    assert len(api.sent) == 1
    assert {one.headers["Idempotency-Key"] for one in api.requests} == {MESSAGE_ID}


def test_a_refusal_after_an_unknown_outcome_is_unknown_still(transport: ProviderTransport, api: ProviderApi) -> None:
    """The first request may have been taken: saying `failed` or `retry freely` now would be a guess."""
    api.instead = ["taken, then 500", *[partial(failure, 503, "service_unavailable", "x")] * 99]
    with pytest.raises(OutcomeUnknown):
        transport.send(message(), before_data=go_on)
    assert len(api.sent) == 1


def test_a_message_handed_over_again_later_is_the_same_request(transport: ProviderTransport, api: ProviderApi) -> None:
    api.instead = ["taken, then 500"] * 3
    with pytest.raises(OutcomeUnknown):
        transport.send(message(), before_data=go_on)
    assert transport.was_accepted(MESSAGE_ID, since=NOON - timedelta(hours=22)) is False
    assert transport.send(message(), before_data=go_on) == "200 49a3999c-0"
    assert len(api.sent) == 1


def test_after_the_window_nobody_can_tell(transport: ProviderTransport, api: ProviderApi) -> None:
    assert transport.was_accepted(MESSAGE_ID, since=NOON - timedelta(hours=24)) is None
    assert transport.was_accepted(MESSAGE_ID) is None
    # And this is why: the same request would be a second message.
    transport.send(message(), before_data=go_on)
    api.forget_keys()
    transport.send(message(), before_data=go_on)
    assert len(api.sent) == 2


def test_before_data_can_abandon_the_message(transport: ProviderTransport, api: ProviderApi) -> None:
    def give_up() -> None:
        raise TimeoutError("the lease has run out")

    with pytest.raises(TimeoutError, match="lease"):
        transport.send(message(), before_data=give_up)
    assert api.requests == []


def test_nobody_listens(pauses: list[float]) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        options = ProviderOptions(url=f"http://127.0.0.1:{taken.getsockname()[1]}", key=KEY)
        with pytest.raises(RelayUnreachable, match="nothing was sent"):
            ProviderTransport(options, clock=lambda: NOON, pause=pauses.append).send(message(), before_data=go_on)


def test_an_international_local_part_is_refused_before_anything_leaves(
    transport: ProviderTransport, api: ProviderApi
) -> None:
    with pytest.raises(InternationalAddressRefused):
        transport.send(message("josé@example.org"), before_data=go_on)
    assert api.requests == []


@pytest.mark.parametrize("key", ["", "re_1\r\nX: y", "re 1", "ré"])
def test_a_key_that_cannot_stand_in_a_header_is_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="CRM_PROVIDER_KEY") as refusal:
        ProviderOptions(url="https://api.example", key=key)
    assert not key or key not in str(refusal.value)


def test_options_do_not_print_the_key() -> None:
    assert KEY not in repr(ProviderOptions(url="https://api.example", key=KEY))
