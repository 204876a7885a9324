import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.feed_errors import (
    FeedError,
    FeedRefusedError,
    FeedUnreachableError,
    FeedUnreadableError,
)
from enrollment_crm.sources.pulls import PullLimits
from enrollment_crm.sources.slate import SlateQuery, fetch_slate

KEY = "s3cret/key+1"
PATH = "/manage/query/run"


@pytest.fixture
def slate() -> Iterator[HTTPServer]:
    """A server of its own for each test: some of them leave it with a broken answer."""
    with HTTPServer(threaded=True) as server:
        yield server


def fetch_url(url: str, *, seconds: float = 2) -> list[dict[str, object]]:
    return list(fetch_slate(SlateQuery(url, KEY), limits=PullLimits(timeout_in_seconds=seconds)))


def fetch(slate: HTTPServer) -> list[dict[str, object]]:
    return fetch_url(slate.url_for(PATH) + "?id=guid")


def test_gives_the_rows_as_they_are(slate: HTTPServer) -> None:
    query = {"id": "guid", "h": KEY, "cmd": "service", "output": "json"}
    rows = [{"aid": "1", "Email": None}, {"aid": "2", "Visa": ""}]
    slate.expect_request(PATH, query_string=query).respond_with_json({"row": rows})
    assert fetch(slate) == rows


def test_an_entry_that_is_no_row_comes_back_as_damage(slate: HTTPServer) -> None:
    slate.expect_request(PATH).respond_with_json({"row": [{"aid": "1"}, "x", None]})
    assert [DAMAGE_NOTE in row for row in fetch(slate)] == [False, True, True]


def test_not_a_number_becomes_a_word(slate: HTTPServer) -> None:
    slate.expect_request(PATH).respond_with_data('{"row": [{"GPA": NaN, "x": -Infinity}]}')
    assert fetch(slate) == [{"GPA": "NaN", "x": "-Infinity"}]


def test_asks_again_when_the_feed_is_busy(slate: HTTPServer) -> None:
    slate.expect_ordered_request(PATH).respond_with_data("", status=429, headers={"Retry-After": "0"})
    slate.expect_ordered_request(PATH).respond_with_data("", status=503)
    slate.expect_ordered_request(PATH).respond_with_json({"row": []})
    assert fetch(slate) == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Response("<!DOCTYPE html><p>Sign in"), FeedUnreadableError, "a web page instead of JSON"),
        (Response('{"row": [{"aid"'), FeedUnreadableError, "broke off"),
        (Response("[" * 100_000), FeedUnreadableError, "no complete"),
        (Response("[1]"), FeedUnreadableError, "no complete"),
        (Response(""), FeedUnreadableError, "nothing"),
        (
            Response("", 403),
            FeedRefusedError,
            r"answers 403 \(not allowed\): check address and credentials in config/sources/slate.yml",
        ),
        (Response("", 302, {"Location": "http://elsewhere.example/"}), FeedRefusedError, "answers 302"),
        (Response("", 404), FeedRefusedError, "answers 404"),
        (Response("", 501), FeedUnreachableError, "answers 501. It is tried again"),
    ],
)
def test_says_what_is_wrong_without_the_key(
    slate: HTTPServer, answer: Response, error: type[FeedError], words: str
) -> None:
    slate.expect_request(PATH).respond_with_response(answer)
    with pytest.raises(error, match=words) as caught:
        fetch(slate)
    assert KEY not in str(caught.value)


def test_half_a_body_is_an_answer_that_broke_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_by_halves, args=[listener], daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
        with pytest.raises(FeedUnreachableError, match="broke off"):
            fetch_url(url, seconds=5)


def answer_by_halves(listener: socket.socket) -> None:
    """Promises more than it sends, which no well-behaved test server can be made to do."""
    with suppress(OSError):  # the listener is closed at the end of the test
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"row": [{"aid"')


def test_the_key_is_in_no_log_line_and_no_part_of_the_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(FeedUnreachableError) as caught:
        fetch_url("http://127.0.0.1:1/manage/query/run?id=guid", seconds=0.2)
    assert "Retry" in caplog.text  # otherwise nothing was logged that could have held it
    for secret in (KEY, "s3cret%2Fkey%2B1", "s3cret"):
        assert secret not in caplog.text
        assert secret not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "enroll.example/manage"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(FeedRefusedError, match=r"config/sources/slate\.yml"):
        fetch_url(url)
