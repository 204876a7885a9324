"""Feeds that answer nonsense, proxies, and mistyped configuration: each ends in a sentence, and no secret is said.

What fails in the usual ways is in ``test_pull_faults.py``.
"""

import time
import traceback
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.integration.pulled_sources import KEY, LIMITS, PAGED, SALESFORCE, UNPAGED, feed_of
from tests.integration.scripted_server import Script, answer, dripping, rows, scripted_server
from tests.integration.test_pull_faults import NOW, ONE, TWO
from tests.integration.test_salesforce import LOGIN, NEXT, page, record, said

from enrollment_crm.sources import slate
from enrollment_crm.sources.feed_errors import (
    FeedError,
    FeedRefusedError,
    FeedUnreachableError,
    FeedUnreadableError,
)
from enrollment_crm.sources.pulls import PullLimits
from enrollment_crm.sources.web_documents import fetch_document
from enrollment_crm.workflows.inbox import Collected, collect

TOKEN = SALESFORCE.replace(
    "client_id: {environment: TEST_CLIENT}, client_secret: {environment: TEST_KEY}", "token: {environment: TEST_KEY}"
)


def failure(
    engine: Engine,
    directory: Path,
    url: str,
    *,
    content: str = UNPAGED,
    limits: PullLimits = LIMITS,
    **variables: str,
) -> FeedError:
    """How the pull fails; its secrets are in no part of what a log shows of that."""
    with pytest.raises(FeedError) as caught:
        collect(engine, [feed_of(directory, url, content, limits=limits, **variables)], now=NOW)
    shown = "".join(traceback.format_exception(caught.value))
    assert [secret for secret in (KEY, "canary") if secret in shown] == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM inbox")) == 0
    return caught.value


@pytest.mark.parametrize(
    "when", ["soon", "-5", "1.5", "Wed, 99 Foo 2026 99:99:99 GMT", "Wed, 21 Oct 99999 07:28:00 GMT"]
)
def test_a_retry_after_that_says_nothing_is_none(engine: Engine, tmp_path: Path, when: str) -> None:
    with scripted_server([answer(b"", status="429 Busy", Retry_After=when), rows(ONE)]) as server:
        assert collect(engine, [feed_of(tmp_path, server.url)], now=NOW) == Collected(new=1)
    assert len(server.requests) == 2


@pytest.mark.parametrize("charset", ["undefined", "zlib", "rot13", "nonsense"])
def test_an_encoding_that_is_none_loses_no_row(engine: Engine, tmp_path: Path, charset: str) -> None:
    body = '{"row": [{"aid": "1", "n": "Zoë"}]}'.encode("cp1252")
    with scripted_server([answer(body, Content_Type=f"application/json; charset={charset}")]) as server:
        assert collect(engine, [feed_of(tmp_path, server.url)], now=NOW) == Collected(new=1)


@pytest.mark.parametrize(
    "head",
    ["HTTP/1.1 302 Found\r\nLocation: http://[oops/", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 10"],
)
def test_a_header_that_is_nonsense_is_told(engine: Engine, tmp_path: Path, head: str) -> None:
    with scripted_server([lambda connection: connection.sendall(f"{head}\r\n\r\n".encode())]) as server:
        found = failure(engine, tmp_path, server.url)
    assert isinstance(found, FeedUnreachableError)
    assert "its answer has a header that cannot be. It is tried again" in str(found)


@pytest.mark.parametrize(
    "url", ["https://[oops", "http://a..b/", f"http://{'a' * 70}.example/", "http://exa mple/", "http://127.0.0.1:x/"]
)
def test_an_address_that_was_mistyped_is_refused(engine: Engine, tmp_path: Path, url: str) -> None:
    found = failure(engine, tmp_path, url)
    assert isinstance(found, FeedRefusedError)
    assert "no web address: write one with https:// into config/sources/pulled.yml" in str(found)


@pytest.mark.parametrize("location", ["http://[oops/", "http://a..b/"])
def test_a_page_that_leads_to_a_mistyped_address_is_refused(location: str) -> None:
    with (
        scripted_server([answer(b"", status="302 Found", Location=location)]) as server,
        pytest.raises(FeedRefusedError, match="leads to something that is no web address"),
    ):
        fetch_document(server.url, kinds=("text/html",), timeout_in_seconds=1)


@pytest.mark.parametrize("token", [f"{KEY}\nX: 1", f"{KEY}Ł"])
def test_a_token_that_no_header_can_carry_is_refused(engine: Engine, tmp_path: Path, token: str) -> None:
    with scripted_server([page(total=0)]) as server:
        found = failure(engine, tmp_path, server.url, content=TOKEN, TEST_KEY=token)
    assert isinstance(found, FeedRefusedError)
    assert "copy it once more" in str(found)
    assert server.requests == []


def test_a_line_break_behind_a_secret_is_no_part_of_it(engine: Engine, tmp_path: Path) -> None:
    """Files of secrets end with one."""
    with scripted_server([page(record(1, 20), total=1)]) as server:
        collect(engine, [feed_of(tmp_path, server.url, TOKEN, TEST_KEY=f"{KEY}\n")], now=NOW)
    assert f"Authorization: Bearer {KEY}\r\n" in server.requests[0]


def test_a_connection_that_is_cut_off_is_told_as_one_that_cannot_be_read(engine: Engine, tmp_path: Path) -> None:
    content = UNPAGED.replace("{key: {environment: TEST_KEY}}", "{connection: slate}")
    cut_off = '{"conn_type": "http", "password": "canary'
    found = failure(engine, tmp_path, "http://127.0.0.1:1", content=content, AIRFLOW_CONN_SLATE=cut_off)
    assert isinstance(found, FeedRefusedError)
    assert "no connection 'slate' that can be read" in str(found)
    assert "AIRFLOW_CONN_SLATE, as a URI or as JSON" in str(found)


def test_pages_that_go_round_in_a_circle_are_noticed(engine: Engine, tmp_path: Path) -> None:
    with scripted_server([rows(ONE), rows(TWO), rows(ONE)]) as server:
        found = failure(engine, tmp_path, server.url, content=PAGED)
    assert "gives the same page again" in str(found)
    assert len(server.requests) == 3


def test_pages_without_end_are_no_delivery(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows behind the last page that is asked for would be lost when the mark moves past them."""
    monkeypatch.setattr(slate, "_MOST_PAGES", 3)
    with scripted_server([rows({"aid": str(number)}) for number in range(9)]) as server:
        found = failure(engine, tmp_path, server.url, content=PAGED)
    assert isinstance(found, FeedUnreadableError)
    assert "more than 3 pages: let its query give more rows a page" in str(found)


@pytest.mark.parametrize("path", ["/\t/evil.invalid/next", "https://evil.invalid/next", "//evil.invalid/next"])
def test_a_cursor_takes_the_token_to_nobody_else(engine: Engine, tmp_path: Path, path: str) -> None:
    with scripted_server([LOGIN, page(record(1, 20), total=2, following=path)]) as server:
        found = failure(engine, tmp_path, server.url, content=SALESFORCE)
    assert "says that there are more rows and not where" in str(found)


def test_a_session_that_ends_between_two_pages_is_begun_anew_by_the_next_try(engine: Engine, tmp_path: Path) -> None:
    ended = said([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], status="401 Unauthorized")
    with scripted_server([LOGIN, page(record(1, 20), total=2, following=NEXT), ended]) as server:
        found = failure(engine, tmp_path, server.url, content=SALESFORCE)
    assert isinstance(found, FeedUnreachableError)
    assert "ended our session. It is tried again" in str(found)


def test_an_instance_that_is_none_is_not_asked(engine: Engine, tmp_path: Path) -> None:
    login = said({"access_token": "00D-canary", "instance_url": "http://[bad"})
    with scripted_server([login, page(record(1, 20), total=1)]) as server:
        assert collect(engine, [feed_of(tmp_path, server.url, SALESFORCE)], now=NOW) == Collected(new=1)


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that reaches the web by a proxy."""
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "the proxy of this machine (HTTP_PROXY, HTTPS_PROXY) does not let us through"),
        (answer(b"", status="407 Login"), "answers 407 (the proxy of this machine wants a login)"),
    ],
)
def test_a_proxy_that_is_in_the_way_is_named(
    engine: Engine, tmp_path: Path, proxied: pytest.MonkeyPatch, *, script: Script | None, words: str
) -> None:
    with scripted_server([script or answer(b"")]) as proxy:
        proxied.setenv("HTTP_PROXY", proxy.url if script else "http://user:canary@127.0.0.1:1")
        assert words in str(failure(engine, tmp_path, "http://slate.invalid/"))


def test_a_feed_that_drips_through_a_proxy_is_given_up(
    engine: Engine, tmp_path: Path, proxied: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    with scripted_server([dripping(b" ")]) as proxy:
        proxied.setenv("HTTP_PROXY", proxy.url)
        limits = PullLimits(timeout_in_seconds=2, total_in_seconds=1)
        found = failure(engine, tmp_path, "http://slate.invalid/", limits=limits)
    assert "is not read to its end within 1 s" in str(found)
    assert time.monotonic() - began < 8
