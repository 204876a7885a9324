"""The pull from Slate, the admissions system: a query that is published as a web service, as JSON."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from enrollment_crm.sources.feed_errors import FeedRefusedError, FeedUnreachableError, FeedUnreadableError
from enrollment_crm.sources.json_documents import read_json, rows_in
from enrollment_crm.sources.web_sessions import failure_in_words, web_session

_KEY_PARAMETER = re.compile(r"\bh=[^&\s'\"]*")
_CHATTY_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


def fetch_slate(url: str, key: str, *, timeout_in_seconds: float) -> list[dict[str, Any]]:
    """All rows of a Slate query as they are; an entry that is no row comes back as a ``DAMAGE_NOTE``.

    The key travels in the address, as Slate wants it, so it is kept out of every error and log line.

    Args:
        url: ``https://HOST/manage/query/run?id=GUID``, without ``h=``.
        key: the value of ``h=``.
        timeout_in_seconds: for the connection, and for each wait for a further part of the answer.

    Raises:
        FeedUnreachableError, FeedRefusedError, FeedUnreadableError: see there.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise FeedRefusedError("CRM_SLATE_QUERY_URL is no web address: write https://HOST/manage/query/run?id=...")
    with _unheard():
        answer, failure = _ask(url, key, timeout_in_seconds)
    if answer is None:
        # Not inside the handler of the original exception: its text and traceback hold the key.
        raise FeedUnreachableError(f"The Slate feed at {_host(url)} cannot be read: {failure}. It is tried again.")
    _check_status(answer, url)
    return _rows(answer, url)


def _ask(url: str, key: str, timeout_in_seconds: float) -> tuple[requests.Response | None, str]:
    """The complete answer, or None and what went wrong in words."""
    parameters = {"h": key, "cmd": "service", "output": "json"}
    with web_session() as session:
        try:
            # A redirect leads to a login page at best and carries the key to a stranger at worst.
            return session.get(url, params=parameters, timeout=timeout_in_seconds, allow_redirects=False), ""
        except requests.exceptions.RequestException as error:
            return None, failure_in_words(error, timeout_in_seconds)


def _check_status(answer: requests.Response, url: str) -> None:
    status = answer.status_code
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise FeedUnreachableError(f"The Slate feed at {_host(url)} answers {status}. It is tried again.")
    raise FeedRefusedError(
        f"The Slate feed at {_host(url)} answers {status}: check CRM_SLATE_QUERY_URL and its key, "
        "and that the query is published as a web service."
    )


def _rows(answer: requests.Response, url: str) -> list[dict[str, Any]]:
    content = read_json(answer.content)
    rows = rows_in(content) if isinstance(content, Mapping) else None
    if rows is None:
        raise FeedUnreadableError(f"The Slate feed at {_host(url)} sends {_what_it_is(answer)}.")
    return rows


def _what_it_is(answer: requests.Response) -> str:
    start = answer.content[:1024].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")) or "html" in answer.headers.get("Content-Type", ""):
        return "a web page instead of JSON: the key has expired, or the query is not published as a web service"
    if not start:
        return "nothing: run the query in Slate and see whether it gives rows"
    return 'no complete {"row": [...]}: either the answer broke off, or output=json is not switched on in Slate'


def _host(url: str) -> str:
    return urlsplit(url).hostname or "an address without a host"


@contextmanager
def _unheard() -> Iterator[None]:
    """Keeps the key out of what urllib3 logs: it writes the whole address of each request and retry."""
    loggers = [logging.getLogger(name) for name in _CHATTY_LOGGERS]
    for logger in loggers:
        logger.addFilter(_without_key)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_without_key)


def _without_key(record: logging.LogRecord) -> bool:
    record.msg, record.args = _KEY_PARAMETER.sub("h=***", record.getMessage()), None
    return True
