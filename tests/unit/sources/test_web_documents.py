"""Documents over a real socket: whole, within limits, of the expected kind, or an error in words."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from enrollment_crm.sources.feed_errors import FeedError, FeedRefusedError, FeedUnreachableError, FeedUnreadableError
from enrollment_crm.sources.web_documents import WebDocument, fetch_document, place
from enrollment_crm.sources.web_pages import parse_page, text_of

KINDS = ("text/html",)
HTML = {"Content-Type": "text/html"}


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    """A server of its own for each test: some of them leave it with a broken answer."""
    with HTTPServer(threaded=True) as server:
        yield server


def fetch(site: HTTPServer, path: str = "/page", longest: float = 120) -> WebDocument:
    return fetch_document(site.url_for(path), kinds=KINDS, timeout_in_seconds=1, longest_reading_in_seconds=longest)


def test_gives_the_bytes_and_where_they_were_found(site: HTTPServer) -> None:
    site.expect_request("/old").respond_with_data("", 301, {"Location": "/page"})
    site.expect_request("/page").respond_with_data(b"\x93x\x94", headers={"Content-Type": "text/html; charset=cp1252"})
    assert fetch(site, "/old") == WebDocument(site.url_for("/page"), b"\x93x\x94", "cp1252")


def test_asks_again_when_the_server_is_busy_and_as_late_as_it_says(site: HTTPServer) -> None:
    site.expect_ordered_request("/page").respond_with_data("", 429, {"Retry-After": "1"})
    site.expect_ordered_request("/page").respond_with_data("", 503)
    site.expect_ordered_request("/page").respond_with_data("x", headers=HTML)
    began = time.monotonic()
    assert fetch(site).content == b"x"
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Response("", 404), FeedRefusedError, "answers 404: open it in a browser, and correct the address"),
        (Response("", 401), FeedRefusedError, "answers 401"),
        (Response("", 204), FeedRefusedError, "answers 204"),
        (Response("", 501), FeedUnreachableError, "answers 501. It is tried again"),
        (Response("{}", headers={"Content-Type": "application/json"}), FeedUnreadableError, "sends application/json"),
        (Response("", 302, {"Location": "/page"}), FeedRefusedError, "from one address to the next without end"),
        (Response("", 302, {"Location": "file:///etc/passwd"}), FeedRefusedError, "leads to something that is no web"),
        (Response(b"x" * (9 * 1024**2), headers=HTML), FeedUnreadableError, "sends more than 8 MiB"),
        (
            Response(gzip.compress(b"x" * (9 * 1024**2)), headers={**HTML, "Content-Encoding": "gzip"}),
            FeedUnreadableError,
            "sends more than 8 MiB",
        ),
        (
            Response(b"not zipped", headers={**HTML, "Content-Encoding": "gzip"}),
            FeedUnreachableError,
            "cannot be read: the answer is packed in a way that cannot be unpacked",
        ),
    ],
)
def test_says_what_is_wrong(site: HTTPServer, answer: Response, error: type[FeedError], words: str) -> None:
    site.expect_request("/page").respond_with_response(answer)
    with pytest.raises(error, match=words) as caught:
        fetch(site)
    assert site.url_for("/page") in str(caught.value)


def test_half_a_body_is_an_answer_that_broke_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_by_half, args=[listener], daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/page"
        with pytest.raises(FeedUnreachableError, match="broke off"):
            fetch_document(url, kinds=KINDS, timeout_in_seconds=5)


def answer_by_half(listener: socket.socket) -> None:
    """Promises more than it sends, which no well-behaved test server can be made to do."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<html>")


def test_a_server_that_takes_its_time_is_not_waited_for(site: HTTPServer) -> None:
    def slow(_: Request) -> Response:
        time.sleep(0.5)
        return Response("x", headers=HTML)

    site.expect_request("/page").respond_with_handler(slow)
    with pytest.raises(FeedUnreachableError, match=r"no answer within 0\.1 s"):
        fetch_document(site.url_for("/page"), kinds=KINDS, timeout_in_seconds=0.1)


def test_a_server_that_drips_is_given_up(site: HTTPServer) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(40):
            time.sleep(0.05)
            yield b"x" * 70_000

    site.expect_request("/page").respond_with_response(Response(drip(), headers=HTML))
    with pytest.raises(FeedUnreachableError, match=r"is not read to its end within 0\.3 s"):
        fetch(site, longest=0.3)


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/page"
    with pytest.raises(FeedUnreachableError, match="cannot be read: nobody answers there"):
        fetch_document(url, kinds=KINDS, timeout_in_seconds=1)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://crm.example/x", "crm.example/page", "https:///x", ""])
def test_what_is_no_web_address_is_not_asked(url: str) -> None:
    with pytest.raises(FeedRefusedError, match="is no web address"):
        fetch_document(url, kinds=KINDS, timeout_in_seconds=1)


@pytest.mark.parametrize("url", ["https://[oops", "http://a..b/", f"http://{'a' * 70}.example/", "http://127.0.0.1:x/"])
def test_a_mistyped_address_is_refused(url: str) -> None:
    with pytest.raises(FeedRefusedError, match=r"no web address: (write|correct)"):
        fetch_document(url, kinds=KINDS, timeout_in_seconds=1)


def test_words_name_no_secret() -> None:
    assert place("https://ana:pass@crm.example:8443/feed.ics?key=s3cret#x") == "https://crm.example:8443/feed.ics"


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("<!DOCTYPE html><html><p>São Paulo – 1</p></html>".encode("cp1252"), "cp1252"),
        ("<html><meta charset='windows-1252'><p>São Paulo – 1</p></html>".encode("cp1252"), None),
        ("<html><p>São Paulo – 1</p></html>".encode(), None),
        ("\ufeff<html><p>São\u00a0Paulo \n – 1</p></html>".encode(), None),
        ("<html><p>São Paulo – 1</p></html>".encode("utf-16"), None),
        (
            b"<html><meta charset='utf-8'><script>x('1')</script><p>S&atilde;o&nbsp;Paulo &#8211;&#8203; 1</p></html>",
            None,
        ),
    ],
)
def test_pages_of_every_encoding_read_the_same(content: bytes, charset: str | None) -> None:
    page = parse_page(WebDocument("https://crm.example/", content, charset))
    assert text_of(page.root) == "São Paulo – 1"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"BEGIN:VCALENDAR", "is no web page"),
        (b"\x89PNG\r\n\x00\x00", "is no web page"),
        (b"<!DOCTYPE html><html><p>half", "breaks off: no </html> at its end"),
    ],
)
def test_what_is_no_whole_page(content: bytes, words: str) -> None:
    with pytest.raises(FeedUnreadableError, match=words):
        parse_page(WebDocument("https://crm.example/", content, None))
