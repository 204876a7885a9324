"""How the sources ask over HTTP: patiently, within limits, and with failures told in words."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError, NewConnectionError, ReadTimeoutError
from urllib3.util import Retry

_RETRIES = 3
#: A server that asks for more patience than this is asked again by the next run of the DAG.
_LONGEST_WAIT_IN_SECONDS = 30
_MOST_REDIRECTS = 5
#: The first that fits.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((requests.exceptions.SSLError,), "its certificate is not valid"),
    ((requests.exceptions.Timeout, ReadTimeoutError), "no answer within {:g} s"),
    ((requests.exceptions.ChunkedEncodingError,), "the answer broke off"),
    ((NameResolutionError,), "its host is not known"),
    ((NewConnectionError,), "nobody answers there"),
)


def web_session() -> requests.Session:
    """A session that asks again, with growing pauses or those that ``Retry-After`` names, when a server is busy."""
    retry = Retry(
        total=_RETRIES,
        backoff_factor=0.5,
        backoff_jitter=0.5,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        retry_after_max=_LONGEST_WAIT_IN_SECONDS,
    )
    session = requests.Session()
    session.max_redirects = _MOST_REDIRECTS
    session.mount("https://", HTTPAdapter(max_retries=retry))
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


def failure_in_words(error: requests.exceptions.RequestException, timeout_in_seconds: float) -> str:
    """What went wrong, without the address: some addresses hold a key."""
    # After the last attempt, requests hides the reason in what urllib3 gave up with.
    given_up = error.args[0] if error.args else None
    reason = getattr(given_up, "reason", given_up)
    for kinds, words in _FAILURES:
        if isinstance(error, kinds) or isinstance(reason, kinds):
            return words.format(timeout_in_seconds)
    return type(error).__name__
