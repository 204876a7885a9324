"""The pull from a Salesforce org: token, cursor, and what may go wrong on the way."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, text
from tests.integration.pulled_sources import KEY, SALESFORCE, feed_of
from tests.integration.scripted_server import Script, answer, scripted_server

from enrollment_crm.sources.feed_errors import (
    FeedError,
    FeedRefusedError,
    FeedUnreachableError,
    FeedUnreadableError,
)
from enrollment_crm.workflows.inbox import Collected, collect

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
TOKEN = "00D-canary-token!"
NEXT = "/services/data/v62.0/query/01gCANARY-200"


def record(number: int, day: int) -> dict[str, Any]:
    return {
        "attributes": {"type": "hed__Application__c", "url": f"/services/data/v62.0/sobjects/a/{number}"},
        "Id": f"a{number}",
        "hed__Applicant__r": {"attributes": {"type": "Contact"}, "Email": f"p{number}@example.edu"} if number else None,
        "SystemModstamp": f"2026-11-{day}T10:00:00.000+0000",
    }


def said(content: Any, status: str = "200 OK", **headers: Any) -> Script:
    return answer(json.dumps(content).encode(), status=status, Content_Type="application/json", **headers)


def page(*records: dict[str, Any], total: int, following: str = "") -> Script:
    cursor = {"nextRecordsUrl": following} if following else {}
    return said({"totalSize": total, "done": not following, "records": list(records), **cursor})


LOGIN = said({"access_token": TOKEN, "token_type": "Bearer"})
PAGES = [page(record(1, 20), record(0, 21), total=3, following=NEXT), page(record(2, 22), total=3)]


def test_rows_come_along_the_cursor(engine: Engine, tmp_path: Path) -> None:
    with scripted_server([LOGIN, *PAGES]) as server:
        assert collect(engine, [feed_of(tmp_path, server.url, SALESFORCE)], now=NOW) == Collected(new=3)
    login, first, second = server.requests
    assert login.startswith("POST /services/oauth2/token ")
    assert "grant_type=client_credentials&client_id=client&client_secret=s3cret%2Fcanary%2Bkey" in login
    asked = parse_qs(urlsplit(first.split()[1]).query)["q"][0]
    assert asked.endswith("WHERE SystemModstamp >= 1970-01-01T00:00:00Z ORDER BY SystemModstamp")
    assert second.startswith(f"GET {NEXT} ")
    for request in (first, second):
        assert f"Authorization: Bearer {TOKEN}\r\n" in request
        assert "Sforce-Query-Options: batchSize=200\r\n" in request
    with engine.connect() as connection:
        raws = [*connection.scalars(text("SELECT raw FROM inbox ORDER BY id"))]
    email = "hed__Applicant__r.Email"
    assert [one.get(email) for one in raws] == ["p1@example.edu", None, "p2@example.edu"]
    assert not any("attributes" in name for one in raws for name in one)


def test_the_next_pull_asks_for_changes_only(engine: Engine, tmp_path: Path) -> None:
    with scripted_server([LOGIN, *PAGES, LOGIN, page(record(2, 22), total=1)]) as server:
        feed = feed_of(tmp_path, server.url, SALESFORCE)
        collect(engine, [feed], now=NOW)
        assert collect(engine, [feed], now=NOW) == Collected(new=0, known=1)
    assert "SystemModstamp+%3E%3D+2026-11-21T10%3A00%3A00Z" in server.requests[-1]


@pytest.mark.parametrize(
    ("scripts", "error", "words"),
    [
        (
            [said({"error": "invalid_client"}, "400 Bad")],
            FeedRefusedError,
            "answers 400.*invalid_client.*connected app",
        ),
        ([answer(b"<html>Log in</html>")], FeedUnreadableError, "gives no token: check the address"),
        ([LOGIN, answer(b"<html>Log in</html>")], FeedUnreadableError, "a web page, such as its login"),
        (
            [LOGIN, said([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], "401 No")],
            FeedRefusedError,
            "answers 401.*INVALID_SESSION_ID",
        ),
        (
            [LOGIN, said([{"errorCode": "INVALID_FIELD", "message": f"No such column {TOKEN}"}], "400 Bad")],
            FeedRefusedError,
            r"answers 400.*INVALID_FIELD, 'No such column \*\*\*'",
        ),
        (
            [LOGIN, said([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}], "403 No")],
            FeedUnreachableError,
            "REQUEST_LIMIT_EXCEEDED.*tried again",
        ),
        ([LOGIN, PAGES[0], answer(b"{", length=99)], FeedUnreachableError, "broke off"),
        ([LOGIN, PAGES[0], said([], "500 Oops", Retry_After="0")], FeedUnreachableError, "answers 500"),
        ([LOGIN, page(record(1, 20), total=2)], FeedUnreachableError, "promised 2 rows and gave 1"),
        ([LOGIN, page(record(1, 20), total=2, following=NEXT)], FeedUnreadableError, "one page to the same page"),
        ([LOGIN, page(total=2, following="https://thief.example/x")], FeedUnreadableError, "more rows and not where"),
        ([LOGIN, page(total=2, following="//thief.example/x")], FeedUnreadableError, "more rows and not where"),
        ([LOGIN, said({"done": False, "records": []})], FeedUnreadableError, "more rows and not where"),
        ([LOGIN, answer(b"", status="302 F", Location="https://sso.example/")], FeedRefusedError, r"leads to sso\."),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_is_kept(
    engine: Engine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    scripts: list[Script],
    error: type[FeedError],
    words: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted_server(scripts) as server, pytest.raises(error, match=words) as caught:
        collect(engine, [feed_of(tmp_path, server.url, SALESFORCE)], now=NOW)
    everything = caplog.text + repr(caught.value) + repr(caught.value.__context__)
    assert [one for one in (KEY, TOKEN, "s3cret", "example.edu") if one in everything] == []
    with engine.connect() as connection:
        counts = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM high_water_mark)"
        assert connection.scalar(text(counts)) == 0


def test_a_token_that_is_there_is_used(engine: Engine, tmp_path: Path) -> None:
    with_token = SALESFORCE.replace("{client_id: {environment: TEST_CLIENT}, client_secret:", "{token:")
    with scripted_server([page(total=0)]) as server:
        collect(engine, [feed_of(tmp_path, server.url, with_token)], now=NOW)
    (request,) = server.requests
    assert f"Authorization: Bearer {KEY}\r\n" in request
