"""Events of the HTTP provider (Resend's shape) about one message, as feedback.

Whoever delivers an event has been verified by its signature before it was kept: no HMAC of ours is asked for here.
Which message is meant, an event says by the Message-ID among its headers, or by the tag that it was handed over
with; tags allow no ``@``, so that one holds the part before it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from enrollment_crm.domain.bounces import failure_status
from enrollment_crm.domain.feedback import Feedback, FeedbackKind
from enrollment_crm.domain.instants import NaiveDatetimeError, check_aware
from enrollment_crm.mail.provider_requests import MESSAGE_TAG
from enrollment_crm.mail.report_parts import without_addresses

_KINDS: Mapping[str, FeedbackKind] = {
    "email.delivered": FeedbackKind.DELIVERED,
    "email.delivery_delayed": FeedbackKind.DELAYED,
    "email.bounced": FeedbackKind.BOUNCED,
    "email.complained": FeedbackKind.COMPLAINED,
}
_IDENTITY = re.compile(r"[0-9a-f]{32}")
#: What a provider means by the type of a bounce, where its words hold no status code.
_STATUS_BY_TYPE = {"permanent": "5.0.0", "transient": "4.0.0", "undetermined": "5.0.0"}
#: A provider says so of an address that does not exist, and of one that it has on its own list because it did not.
_DEAD_SUBTYPES = frozenset({"noemail", "suppressed", "onaccountsuppressionlist"})


class EventUnreadable(ValueError):
    """An event of the mail provider says something that cannot be read: it is set aside with the reason."""


def read_provider_event(
    event: Mapping[str, Any], *, source: str, mail_domain: str, received_at: datetime
) -> Feedback | None:
    """What an event says of a message of ours; None: of a kind that says nothing to act on (sent, opened, clicked).

    Args:
        event: the JSON object as it was delivered.
        mail_domain: domain of our Message-IDs.
        received_at: when it reached us: nothing in it happened later.

    Raises:
        EventUnreadable: it names no message of ours, or has another shape.
    """
    kind = _KINDS.get(str(event.get("type", "")))
    if kind is None:
        return None
    data = event.get("data", event if "email_id" in event else None)
    if not isinstance(data, Mapping):
        raise EventUnreadable("The event has no `data`.")
    bounce = data.get("bounce")
    bounce = bounce if isinstance(bounce, Mapping) else {}
    return Feedback(
        kind=kind,
        message_id=_message_id_of(data, mail_domain),
        source=source,
        fact_id=_fact_id(event, data),
        at=min(received_at, _instant_of(event.get("created_at")) or received_at),
        status=_status_of(bounce) if kind is FeedbackKind.BOUNCED else "",
        detail=without_addresses(str(bounce.get("message", ""))),
    )


def _fact_id(event: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What is delivered twice is one: the provider's own number of the message, and what it says of it."""
    return f"{data.get('email_id', '')} {event['type']} {event.get('created_at', '')}"


def _message_id_of(data: Mapping[str, Any], mail_domain: str) -> str:
    for named in (_header(data.get("headers")), data.get("message_id"), _tag(data.get("tags"))):
        found = _IDENTITY.search(str(named or "").lower())
        if found:
            return f"<{found[0]}@{mail_domain}>"
    raise EventUnreadable(f"The event names no message of ours: no Message-ID, and no tag `{MESSAGE_TAG}`.")


def _header(headers: object) -> object:
    """The Message-ID among headers that come as an object, or as a list of names and values."""
    for name, value in _pairs(headers):
        if str(name).lower() == "message-id":
            return value
    return None


def _tag(tags: object) -> object:
    return next((value for name, value in _pairs(tags) if name == MESSAGE_TAG), None)


def _pairs(listed: object) -> list[tuple[object, object]]:
    if isinstance(listed, Mapping):
        return list(listed.items())
    if isinstance(listed, list):
        return [(one.get("name"), one.get("value")) for one in listed if isinstance(one, Mapping)]
    return []


def _status_of(bounce: Mapping[str, Any]) -> str:
    stated = failure_status(str(bounce.get("message", ""))) or failure_status(str(bounce.get("diagnosticCode", "")))
    if stated:
        return stated
    kind, subtype = (str(bounce.get(name, "")).lower().replace(" ", "") for name in ("type", "subType"))
    if kind == "permanent" and subtype in _DEAD_SUBTYPES:
        return "5.1.1"
    return _STATUS_BY_TYPE.get(kind, "5.0.0")


def _instant_of(stated: object) -> datetime | None:
    try:
        return check_aware(datetime.fromisoformat(str(stated).strip()))
    except (ValueError, NaiveDatetimeError):
        return None
