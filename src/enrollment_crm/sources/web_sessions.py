"""How the sources ask over HTTP: patiently, within limits, and with failures told in words."""

from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    InvalidHeader,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util import Retry

_RETRIES = 3
#: A server that asks for more patience than this is asked again by the next run of the DAG.
_LONGEST_WAIT_IN_SECONDS = 30
_MOST_REDIRECTS = 5
#: The first that fits.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((requests.exceptions.ProxyError,), "the proxy of this machine (HTTP_PROXY, HTTPS_PROXY) does not let us through"),
    ((requests.exceptions.ContentDecodingError,), "the answer is packed in a way that cannot be unpacked"),
    ((requests.exceptions.Timeout, ReadTimeoutError), "no answer within {:g} s"),
    ((requests.exceptions.ChunkedEncodingError,), "the answer broke off"),
    ((NameResolutionError,), "its host is not known"),
    ((NewConnectionError,), "nobody answers there"),
    ((ProtocolError,), "the connection broke off"),
    ((ValueError,), "its answer has a header that cannot be"),
)
#: What OpenSSL says about a certificate, by its number.
_CERTIFICATE_FAILURES = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "it is signed by itself",
    20: "nobody knows who signed it",
    62: "it belongs to another host",
}


class _PatientRetry(Retry):
    """Takes a ``Retry-After`` that is no number and no instant for none, where urllib3 gives up."""

    def parse_retry_after(self, retry_after: str) -> float:
        """Seconds to wait; 0: the pause that would be made anyway."""
        try:
            return super().parse_retry_after(retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return 0


def web_session(*, longest_wait_in_seconds: int = _LONGEST_WAIT_IN_SECONDS) -> requests.Session:
    """A session that asks again, with growing pauses or those that ``Retry-After`` names, when a server is busy.

    Args:
        longest_wait_in_seconds: no pause is longer, whatever ``Retry-After`` names.
    """
    retry = _PatientRetry(
        total=_RETRIES,
        backoff_factor=0.5,
        backoff_jitter=0.5,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        retry_after_max=longest_wait_in_seconds,
        # A token is asked for by POST, and asking twice does no harm.
        allowed_methods=frozenset({"GET", "POST"}),
    )
    session = requests.Session()
    session.max_redirects = _MOST_REDIRECTS
    session.mount("https://", HTTPAdapter(max_retries=retry))
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


#: What the libraries raise for an address that looks like one and is none.
NO_ADDRESS = (requests.exceptions.InvalidURL, LocationParseError)


def host_of(url: str) -> str:
    """The host that a web address names; empty: it is no web address."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return ""
    return parts.hostname or "" if parts.scheme in {"http", "https"} else ""


def failure_in_words(error: Exception, timeout_in_seconds: float) -> str:
    """What went wrong, without the address: some addresses hold a key."""
    # After the last attempt, requests hides the reason in what urllib3 gave up with.
    given_up = error.args[0] if error.args else None
    reason = getattr(given_up, "reason", given_up)
    if isinstance(error, requests.exceptions.SSLError):
        return _certificate_in_words(reason)
    for kinds, words in _FAILURES:
        if isinstance(error, kinds) or isinstance(reason, kinds):
            return words.format(timeout_in_seconds)
    return type(error).__name__


def _certificate_in_words(reason: object) -> str:
    found = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    why = _CERTIFICATE_FAILURES.get(getattr(found, "verify_code", None) or 0)
    return f"its certificate is not valid{f': {why}' if why else ''}"
