"""A provider's HTTP API as a transport: one request a message, under an idempotency key.

The key is the Message-ID, which belongs to the ledger's key for ever. Within the provider's window the same request
again is answered as before and sends nothing: a lost answer is found out by asking again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.provider_replies import is_success, is_try_later, refusal
from enrollment_crm.mail.provider_requests import request_of
from enrollment_crm.mail.transport import (
    InternationalAddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TransportError,
)

#: How long Resend remembers a key.
IDEMPOTENCY_WINDOW = timedelta(hours=24)
#: Within it, a key is certainly remembered when the message comes there: pauses, queues, clocks.
_MARGIN = timedelta(hours=1)
#: A worker holds its message while it waits; longer pauses are the ledger's.
_LONGEST_PAUSE_IN_SECONDS = 5.0
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class ProviderOptions:
    """Where the provider is, and who we are there.

    Raises:
        ValueError: the key cannot stand in a header; the sentence does not repeat it.
    """

    url: str
    key: str = field(repr=False)
    connect_timeout_in_seconds: float = 10
    timeout_in_seconds: float = 30
    user_agent: str = "enrollment-crm"

    def __post_init__(self) -> None:
        if not self.key or not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise ValueError("CRM_PROVIDER_KEY is empty or holds a space or line break: paste the key again.")


class ProviderTransport:
    """A Transport over ``POST /emails``; connections are kept open and reused."""

    def __init__(
        self,
        options: ProviderOptions,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = options
        self._clock = clock
        self._pause = pause
        self._session = requests.Session()
        self._session.headers["User-Agent"] = options.user_agent

    def send(self, message: OutgoingMessage, *, before_data: Callable[[], None]) -> str:
        """Hand one message over; see `Transport.send`."""
        if message.requires_smtputf8:
            raise InternationalAddressRefused(
                "The address has non-ASCII letters before the @, which the provider does not take: "
                "ask the person for another address, or send through a relay that knows RFC 6531."
            )
        body = request_of(message)
        before_data()
        unknown: OutcomeUnknown | None = None
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(float(attempt))
            try:
                return self._post(message, body)
            except OutcomeUnknown as error:  # the same key finds out
                unknown = unknown or error
            except TransportError:
                # What is refused now may have been taken before.
                if unknown is None:
                    raise
        raise unknown or OutcomeUnknown("The provider was not asked.")

    def was_accepted(self, message_id: str, *, since: datetime | None = None) -> bool | None:  # noqa: ARG002
        """False within the window: the provider knows the key, and handing over again sends no second copy.

        None after it, and where nobody knows when the first copy may have left.
        """
        if since is None or self._clock() - since > IDEMPOTENCY_WINDOW - _MARGIN:
            return None
        return False

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _post(self, message: OutgoingMessage, body: dict[str, object]) -> str:
        response = self._answer(message, body)
        waited = 0.0
        while is_try_later(response.status_code):
            seconds = _retry_after(response)
            if waited + seconds > _LONGEST_PAUSE_IN_SECONDS:
                break
            self._pause(seconds)
            waited += seconds
            response = self._answer(message, body)
        if not is_success(response.status_code):
            raise refusal(response.status_code, _json_of(response))
        return f"{response.status_code} {_id_of(response)}".rstrip()

    def _answer(self, message: OutgoingMessage, body: dict[str, object]) -> requests.Response:
        options = self._options
        try:
            return self._session.post(
                f"{options.url.rstrip('/')}/emails",
                json=body,
                headers={"Authorization": f"Bearer {options.key}", "Idempotency-Key": message.message_id},
                timeout=(options.connect_timeout_in_seconds, options.timeout_in_seconds),
                # A redirect would carry a person's mail to somewhere that nobody has configured.
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise SenderRefused(f"{options.url} cannot be trusted (TLS): check CRM_PROVIDER_URL.") from error
        except requests.RequestException as error:
            raise _as_transport_error(error, options.url) from error


def _as_transport_error(error: requests.RequestException, where: str) -> TransportError:
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        return RelayUnreachable(f"{where} cannot be reached: nothing was sent, retry.")
    return OutcomeUnknown(f"The answer of {where} was lost ({type(error).__name__}): reconcile.")


def _never_connected(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _retry_after(response: requests.Response) -> float:
    """Seconds that the provider asks for; one where it does not say, or says it as a date."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isdecimal() else 1.0


def _json_of(response: requests.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None


def _id_of(response: requests.Response) -> str:
    """The provider's name of the message, for whoever looks it up there."""
    body = _json_of(response)
    name = body.get("id") if isinstance(body, dict) else None
    return name if isinstance(name, str) and name.isascii() and name.isprintable() else ""
