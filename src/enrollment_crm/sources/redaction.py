"""Secrets of feeds, kept out of every word: of what libraries log, and of what servers answer."""

import base64
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

#: They write the address of each request and retry, and the parameters that are in it.
_CHATTY_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "urllib3.connection", "urllib3.poolmanager")
_PARAMETER = re.compile(r"\b(h|key|token|access_token|client_secret|password)=[^&\s'\"]*", re.IGNORECASE)
_HIDDEN = "***"


class Redactor:
    """Replaces secrets in texts, in each way in which they are written in requests."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spelled = {way for secret in secrets if secret for way in _ways_to_write(secret)}
        # The longest first: one secret may begin like another.
        self._spelled = sorted(spelled, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for one in self._spelled:
            text = text.replace(one, _HIDDEN)
        return _PARAMETER.sub(rf"\\1={_HIDDEN}", text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the secrets out of a line of a log."""
        record.msg, record.args = self(record.getMessage()), None
        return True


@contextmanager
def unheard(redact: Redactor) -> Iterator[None]:
    """Keeps secrets out of what the libraries log meanwhile."""
    loggers = [logging.getLogger(name) for name in _CHATTY_LOGGERS]
    for logger in loggers:
        logger.addFilter(redact)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(redact)


def basic_token(user: str, password: str) -> str:
    """User and password as HTTP's Basic scheme writes them; it can be read back, so it is a secret as well."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _ways_to_write(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
