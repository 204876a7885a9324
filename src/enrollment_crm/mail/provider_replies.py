"""What a provider's HTTP answer means for us; the same errors as for SMTP.

| answer | error |
|---|---|
| 2xx | accepted |
| 429, 503 | RelayUnreachable: nothing was taken, later and for everybody |
| 408, 409, other 5xx | OutcomeUnknown: it may have been taken; the same key again finds out |
| 400, 422 that name ``to`` | AddressRefused |
| 401, 403, any other 3xx or 4xx | SenderRefused: key, domain, quota or content are ours to mend |
"""

import re
from http import HTTPStatus

from enrollment_crm.mail.transport import (
    AddressRefused,
    OutcomeUnknown,
    RelayUnreachable,
    SenderRefused,
    TransportError,
)

_TRY_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_UNDECIDED = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT)
_ABOUT_FIELDS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_NAMES_THE_RECIPIENT = re.compile(r"[`'\"]to[`'\"]")
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,60}")


def is_success(status: int) -> bool:
    """Whether the message was taken."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def is_try_later(status: int) -> bool:
    """Whether nothing was taken, and the provider asks for a pause."""
    return status in _TRY_LATER


def refusal(status: int, body: object) -> TransportError:
    """The error that an answer stands for. The provider's sentence is left out: it may repeat an address."""
    reply = f"{status} {_name_of(body)}".rstrip()
    if is_try_later(status):
        return RelayUnreachable("The provider takes nothing now: retry after a pause.", reply=reply)
    if status in _UNDECIDED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown("The provider does not say whether it took the message: reconcile.", reply=reply)
    if status in _ABOUT_FIELDS and _NAMES_THE_RECIPIENT.search(_sentence_of(body)):
        return AddressRefused("The provider refuses the recipient's address.", reply=reply)
    return SenderRefused(
        "The provider refuses us, not the recipient: check CRM_PROVIDER_KEY, CRM_PROVIDER_URL, the domain of "
        "CRM_SENDER_ADDRESS and your quota there.",
        reply=reply,
    )


def _name_of(body: object) -> str:
    name = body.get("name") if isinstance(body, dict) else None
    return name if isinstance(name, str) and _SLUG.fullmatch(name) else ""


def _sentence_of(body: object) -> str:
    sentence = body.get("message") if isinstance(body, dict) else None
    return sentence if isinstance(sentence, str) else ""
