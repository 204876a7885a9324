"""Holds: kinds of message that do not go out as things stand, whomever they are for."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.freshness import HELD_KINDS
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.campaigns import open_stops
from enrollment_crm.workflows.freshness import gate_in
from enrollment_crm.workflows.outbox import Outbox

#: Kind -> why nothing of it goes out.
Holds = Mapping[str, str]


def holds_in(connection: Connection, outbox: Outbox, now: datetime) -> Holds:
    """What the freshness gate holds, and what is stopped; a kind that goes out is not in it."""
    reasons = {kind: stop.reason for kind, stop in open_stops(connection).items()}
    if MessageKind.DEADLINE_REMINDER in reasons:
        # An invitation belongs to the campaign of its cell.
        reasons.setdefault(MessageKind.SESSION_INVITATION, reasons[MessageKind.DEADLINE_REMINDER])
    gate = gate_in(connection, outbox, now)
    if gate.is_closed:
        reasons |= dict.fromkeys(HELD_KINDS, gate.reason)
    return {kind.value: reason for kind, reason in reasons.items()}


def holds_in_words(holds: Holds) -> list[str]:
    """A sentence for each reason, with the kinds that it holds."""
    kinds: dict[str, list[str]] = {}
    for kind, reason in holds.items():
        kinds.setdefault(reason, []).append(kind.replace("_", " "))
    return [
        f"Held as things stand, whomever it is for ({', '.join(held)}): {reason.rstrip('.')}."
        for reason, held in kinds.items()
    ]
