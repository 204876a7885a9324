"""Pulls: one conversation with a service that gives rows as JSON, within limits, its secrets in no word."""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import requests
from urllib3.exceptions import HTTPError

from enrollment_crm.sources.feed_errors import FeedRefusedError, FeedUnreachableError, FeedUnreadableError
from enrollment_crm.sources.json_documents import read_json
from enrollment_crm.sources.redaction import Redactor, unheard
from enrollment_crm.sources.time_limits import TimeIsUpError, TimeLimit
from enrollment_crm.sources.web_sessions import NO_ADDRESS, failure_in_words, host_of, web_session

_PIECE_IN_BYTES = 64 * 1024
_MEBIBYTE = 1024**2

_STATUSES = {
    401: " (not logged in)",
    403: " (not allowed)",
    404: " (not there)",
    407: " (the proxy of this machine wants a login)",
}


@dataclass(frozen=True)
class PullLimits:
    """What one pull may take."""

    #: For the connection, and for each wait for a further part of an answer.
    timeout_in_seconds: float = 30
    #: For the whole pull, all pages together.
    total_in_seconds: float = 600
    #: Of one answer, unpacked.
    most_bytes: int = 256 * _MEBIBYTE
    #: No pause between two tries is longer, whatever ``Retry-After`` names.
    longest_wait_in_seconds: int = 30


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    content: bytes
    content_type: str = ""
    location: str = ""

    @property
    def is_web_page(self) -> bool:
        """It is a page for people, such as a login, and not data."""
        start = self.content[:1024].lstrip().lower()
        return start.startswith((b"<!doctype", b"<html")) or "html" in self.content_type

    def json(self) -> Any:
        """Its content; None: it is no JSON. See ``read_json``."""
        return read_json(_text_of(self.content, self.content_type))


class Pull:
    """One conversation with one source; what goes wrong is told in words, without addresses and secrets.

    Args:
        who: how errors name the source, ``The Slate feed``.
        where: its file in ``config/sources/``, where address and credentials are corrected.
        secrets: what must not be in any log or error.
    """

    def __init__(self, who: str, where: str, *, secrets: Iterable[str], limits: PullLimits) -> None:
        self._who, self.where, self._limits = who, where, limits
        self.redact = Redactor(secrets)
        self._secrets = list(secrets)
        self._session = web_session(longest_wait_in_seconds=limits.longest_wait_in_seconds)
        self._limit = TimeLimit(limits.total_in_seconds)
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._opened.enter_context(self._session)
        self._opened.enter_context(self._limit)
        self._limit.limit(self._session)
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def keep_secret(self, secret: str) -> None:
        """Another secret, that came up on the way."""
        self._secrets.append(secret)
        self.redact = Redactor(self._secrets)

    def ask(
        self,
        url: str,
        *,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a GET, or to the POST of a form.

        Raises:
            FeedUnreachableError: no answer, one that breaks off, or the time is up.
            FeedUnreadableError: the answer is too big.
            FeedRefusedError: the address is none, or a secret cannot be sent.
        """
        if not host_of(url):
            raise self._no_address()
        self._check_headers(headers or {})
        with unheard(self.redact):
            answer, failure = self._try(url, parameters=parameters, headers=headers, form=form)
        if answer is not None:
            return answer
        # Not inside the handler of the original exception: its text and traceback hold addresses and secrets.
        raise failure(self.at(url))

    def at(self, url: str) -> str:
        """``The Slate feed at enroll.example.edu``."""
        return f"{self._who} at {host_of(url) or 'an address without a host'}"

    def check_status(self, answer: Answer, url: str, *, hint: str) -> None:
        """Raise what a status other than 200 means.

        Raises:
            FeedUnreachableError: it is busy or broken.
            FeedRefusedError: address or credentials are wrong.
        """
        status, at = answer.status, self.at(url)
        if status == HTTPStatus.OK:
            return
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise FeedUnreachableError(f"{at} answers {status}. It is tried again.")
        if answer.location:
            elsewhere = host_of(answer.location) or "another page of it"
            raise FeedRefusedError(
                f"{at} answers {status} and leads to {elsewhere}, usually a login: nothing is sent there. "
                f"Check address and credentials in {self.where}{hint}."
            )
        said = _STATUSES.get(status, "")
        raise FeedRefusedError(f"{at} answers {status}{said}: check address and credentials in {self.where}{hint}.")

    def _try(self, url: str, **asked: Any) -> tuple[Answer | None, Callable[[str], Exception]]:
        """The whole answer, or None and the error that it comes to."""
        try:
            return self._exchange(url, **asked), FeedUnreachableError
        except _TooBigError:
            most = f"more than {self._limits.most_bytes / _MEBIBYTE:g} MiB"
            return None, lambda at: FeedUnreadableError(f"{at} sends {most}: let its query give fewer rows or columns.")
        except TimeIsUpError:
            words = self._time_is_up()
        except NO_ADDRESS:
            return None, lambda _: self._no_address()
        # Whatever the libraries raise ends here: some of it holds addresses and headers, secrets and all.
        except (requests.exceptions.RequestException, HTTPError, ValueError, OSError) as error:
            words = self._time_is_up() if self._limit.is_over else failure_in_words(error, self._timeout)
        return None, lambda at: FeedUnreachableError(f"{at} cannot be read: {words}. It is tried again.")

    def _exchange(
        self,
        url: str,
        *,
        parameters: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
    ) -> Answer:
        with self._session.request(
            "POST" if form is not None else "GET",
            url,
            params=parameters,
            data=form,
            auth=_Headers(headers or {}),
            timeout=self._timeout,
            stream=True,
            # A redirect leads to a login page at best and carries the key to a stranger at worst.
            allow_redirects=False,
        ) as answer:
            content = self._body(answer)
            if self._limit.is_over:  # where no length is named, the end of the connection looks like the end
                raise TimeIsUpError(TimeIsUpError.__doc__)
            said = answer.headers
            return Answer(answer.status_code, content, said.get("Content-Type", "").lower(), said.get("Location", ""))

    def _body(self, answer: requests.Response) -> bytes:
        content = bytearray()
        for piece in answer.iter_content(_PIECE_IN_BYTES):
            content += piece
            if len(content) > self._limits.most_bytes:
                raise _TooBigError
        return bytes(content)

    def _no_address(self) -> FeedRefusedError:
        return FeedRefusedError(f"{self._who} has no web address: write one with https:// into {self.where}.")

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        if not all(one.isascii() and one.isprintable() for one in headers.values()):
            raise FeedRefusedError(
                f"{self._who} has a token with a character that no token has, such as a line break: copy it once "
                f"more to where {self.where} refers to."
            )

    def _time_is_up(self) -> str:
        return f"it is not read to its end within {self._limits.total_in_seconds:g} s"

    @property
    def _timeout(self) -> float:
        return self._limits.timeout_in_seconds


class _TooBigError(Exception):
    """The answer goes on and on."""


class _Headers(requests.auth.AuthBase):
    """Sets headers as the last step: otherwise a ``.netrc`` of the machine would replace ``Authorization``."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def _text_of(content: bytes, content_type: str) -> str:
    """JSON is Unicode; where it is none, what is declared counts, or else Windows-1252.

    Few bad bytes among good ones cost the rows that they are in, and garble no other name.
    """
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        pass
    declared = re.search(r"charset=[\"']?([\w.-]+)", content_type)
    try:
        if declared and codecs.lookup(declared[1]).name != "utf-8":
            return content.decode(declared[1])
    except (LookupError, UnicodeError):
        pass
    text = content.decode("utf-8", errors="replace")
    bad, good = text.count("\ufffd"), len(re.findall(r"[^\x00-\x7f\ufffd]", text))
    return content.decode("cp1252", errors="replace") if bad > good else text
