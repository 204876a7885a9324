"""Feeds that fail on real sockets: nothing is lost, nothing is double, the mark stays, and no secret is said."""

import gzip
import json
import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from sqlalchemy import Engine, text
from tests.integration.pulled_sources import KEY, LIMITS, PAGED, UNPAGED, feed_of
from tests.integration.scripted_server import Script, answer, dripping, reset, rows, scripted_server

from enrollment_crm.sources.feed_errors import (
    FeedError,
    FeedRefusedError,
    FeedUnreachableError,
    FeedUnreadableError,
)
from enrollment_crm.sources.pulls import PullLimits
from enrollment_crm.workflows.inbox import Collected, collect

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
CANARY = "canary.person@example.edu"
#: In every spelling in which a request could hold the key.
SECRETS = (KEY, "s3cret%2Fcanary%2Bkey", "s3cret", "canary%2Bkey", "canary+key")
ONE = {"aid": "1", "Email": CANARY, "Updated": "2026-11-20T10:00:00"}
TWO = {"aid": "2", "Email": "b@example.edu", "Updated": "2026-11-21T10:00:00"}
THREE = {"aid": "3", "Email": "c@example.edu", "Updated": "2026-11-22T10:00:00"}
BODY = json.dumps({"row": [ONE, TWO]}).encode()


def kept(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [*connection.scalars(text("SELECT raw ->> 'aid' FROM inbox ORDER BY id"))]


def mark(engine: Engine) -> datetime | None:
    with engine.connect() as connection:
        found: datetime | None = connection.scalar(text("SELECT mark FROM high_water_mark WHERE source = 'pulled'"))
        return found


@contextmanager
def nothing_secret(caplog: pytest.LogCaptureFixture) -> Iterator[list[BaseException]]:
    """No log line and no error that is caught inside holds a secret, also not in what it came of."""
    caplog.set_level(logging.DEBUG)
    caught: list[BaseException] = []
    yield caught
    said = caplog.text + "".join(f"{one!r}{one.__cause__!r}{one.__context__!r}" for one in caught)
    assert "urllib3" in caplog.text  # otherwise nothing was logged that could have held it
    assert [secret for secret in (*SECRETS, CANARY) if secret in said] == []


def fails(
    engine: Engine, directory: Path, url: str, *, content: str = UNPAGED, limits: PullLimits = LIMITS
) -> FeedError:
    with pytest.raises(FeedError) as caught:
        collect(engine, [feed_of(directory, url, content, limits=limits)], now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("first", "waited"),
    [
        (answer(b"", status="429 Too Many Requests", Retry_After="1"), 1),
        (answer(b"", status="429 Too Many Requests", Retry_After="3600"), 1),
        (
            answer(b"", status="503 Busy", Retry_After=format_datetime(datetime.now(UTC) + timedelta(hours=1))),  # noqa: TID251
            1,
        ),
        (answer(b"", status="500 Oops"), 0),
        (reset, 0),
    ],
    ids=["429 seconds", "429 an hour", "503 with a date", "500", "reset"],
)
def test_a_feed_that_stumbles_once_is_asked_again(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, first: Script, waited: float
) -> None:
    began = time.monotonic()
    with nothing_secret(caplog), scripted_server([first, rows(ONE, TWO)]) as server:
        assert collect(engine, [feed_of(tmp_path, server.url)], now=NOW) == Collected(new=2)
    assert waited <= time.monotonic() - began < waited + 5  # what Retry-After asks for, and never more than the cap
    assert (len(server.requests), kept(engine)) == (2, ["1", "2"])


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (answer(b"", status="429 Busy", Retry_After="0"), FeedUnreachableError, "answers 429. It is tried again"),
        (answer(b"", status="500 Oops"), FeedUnreachableError, "answers 500. It is tried again"),
        (answer(BODY[:-20], length=len(BODY)), FeedUnreachableError, "broke off. It is tried again"),
        (answer(BODY[:-20]), FeedUnreadableError, "the answer broke off, or output=json"),
        (reset, FeedUnreachableError, "the connection broke off. It is tried again"),
        (answer(b"<!doctype html><title>Log in</title>"), FeedUnreadableError, "a web page instead of JSON"),
        (
            answer(b"", status="302 Found", Location="https://sso.example/login"),
            FeedRefusedError,
            "leads to sso.exampl",
        ),
        (answer(b"", status="401 No"), FeedRefusedError, r"answers 401 \(not logged in\): check address and"),
        (answer(b"", status="403 No"), FeedRefusedError, r"answers 403 \(not allowed\).*config/sources/pulled\.yml"),
        (answer(b"", status="404 No"), FeedRefusedError, r"answers 404 \(not there\)"),
        (answer(b'{"row": [' + b" " * 2_000_000 + b"]}"), FeedUnreadableError, "more than 0.9.* MiB"),
        (answer(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"), FeedUnreadableError, "more than 0.9.* MiB"),
        (answer(b"no gzip", Content_Encoding="gzip"), FeedUnreachableError, "cannot be unpacked"),
        (answer(b""), FeedUnreadableError, "sends nothing"),
    ],
)
def test_a_feed_that_fails_says_why_and_changes_nothing(
    engine: Engine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    script: Script,
    error: type[FeedError],
    words: str,
) -> None:
    with nothing_secret(caplog) as caught, scripted_server([script]) as server:
        caught.append(fails(engine, tmp_path, server.url))
    assert isinstance(caught[0], error)
    with pytest.raises(error, match=words):
        raise caught[0]
    assert (kept(engine), mark(engine)) == ([], None)


@pytest.mark.parametrize("in_header", [False, True])
def test_a_feed_that_drips_is_given_up(engine: Engine, tmp_path: Path, in_header: bool) -> None:
    began = time.monotonic()
    limits = PullLimits(timeout_in_seconds=2, total_in_seconds=1)
    with scripted_server([dripping(b" ", in_header=in_header)]) as server:
        failure = fails(engine, tmp_path, server.url, limits=limits)
    assert "is not read to its end within 1 s" in str(failure)
    assert time.monotonic() - began < 8
    assert (kept(engine), mark(engine)) == ([], None)


def context_with(*, valid: timedelta | None) -> ssl.SSLContext:
    """A server with a certificate that nobody knows the signer of, or one that has expired."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ends = datetime.now(UTC) + valid if valid else None  # noqa: TID251 - certificates go by the real clock
    authority.issue_cert("localhost", not_after=ends).configure_cert(context)
    authority.cert_pem.write_to_path("ca.pem")
    return context


@pytest.mark.parametrize(
    ("is_known", "valid", "words"),
    [
        (False, None, "its certificate is not valid: nobody knows who signed it"),
        (True, -timedelta(days=1), "its certificate is not valid: it has expired"),
    ],
)
def test_a_certificate_that_is_not_valid_is_named(
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_known: bool,
    valid: timedelta | None,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    context = context_with(valid=valid)
    if is_known:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with scripted_server([rows(ONE)], tls=context) as server:
        assert words in str(fails(engine, tmp_path, server.url))
        assert server.requests == []  # the key was told to nobody
    assert kept(engine) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "nobody answers there"),
        ("http://nowhere.invalid", "its host is not known"),
    ],
)
def test_nobody_there(engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str, words: str) -> None:
    with nothing_secret(caplog) as caught:
        caught.append(fails(engine, tmp_path, url))
    assert words in str(caught[0])


def test_half_of_the_pages_is_no_delivery(engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Page 2 fails: nothing is kept and the mark stays. The next pull brings all three pages, each row once."""
    broken = [rows(ONE), answer(BODY[:-9], length=len(BODY))]
    with nothing_secret(caplog) as caught, scripted_server(broken) as server:
        caught.append(fails(engine, tmp_path, server.url, content=PAGED))
    assert (kept(engine), mark(engine)) == ([], None)
    with scripted_server([rows(ONE), rows(TWO), rows(THREE), rows()]) as server:
        feed = feed_of(tmp_path, server.url, PAGED)
        assert collect(engine, [feed], now=NOW) == Collected(new=3)
    assert [one.split("page=")[1][0] for one in server.requests] == ["1", "2", "3", "4"]
    assert kept(engine) == ["1", "2", "3"]
    assert mark(engine) == datetime(2026, 11, 22, 15, tzinfo=UTC)  # 10:00 in New York


def test_a_parameter_that_the_query_does_not_know_is_noticed(engine: Engine, tmp_path: Path) -> None:
    with scripted_server([rows(ONE)]) as server:
        failure = fails(engine, tmp_path, server.url, content=PAGED)
    assert "gives the same page again and again: its query has no parameter 'page'" in str(failure)
    assert kept(engine) == []


@pytest.mark.parametrize(
    ("body", "content_type", "name"),
    [
        ('{"row": [{"aid": "1", "n": "Zoë"}]}'.encode("cp1252"), "application/json", "Zoë"),
        ('{"row": [{"aid": "1", "n": "Łuk"}]}'.encode("iso8859-2"), "application/json; charset=iso-8859-2", "Łuk"),
        ('{"row": [{"aid": "1", "n": "Łuk"}]}'.encode("utf-16"), "application/json; charset=utf-8", "Łuk"),
        ('{"row": [{"aid": "1", "n": "Łuk Zoë"}]}'.encode().replace(b"uk", b"u\xff"), "", "Łu\ufffd Zoë"),
    ],
)
def test_a_wrong_encoding_loses_no_row(
    engine: Engine, tmp_path: Path, body: bytes, content_type: str, name: str
) -> None:
    with scripted_server([answer(body, Content_Type=content_type)]) as server:
        assert collect(engine, [feed_of(tmp_path, server.url)], now=NOW) == Collected(new=1)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT raw ->> 'n' FROM inbox")) == name
