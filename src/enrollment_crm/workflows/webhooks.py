"""Webhooks: the rows of an event are committed to the inbox before its sender is answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.webhooks import WebhookSource
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import Kept
from enrollment_crm.storage.webhooks import keep_event


def receive_webhook(
    engine: Engine, source: WebhookSource, event_id: str, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> Kept | None:
    """Commit the rows of an event and say how many were new; None: the event was taken in before.

    A sender that got no answer sends the event again, under the same id: nothing is kept twice.
    """
    with transaction(engine) as connection:
        return keep_event(
            connection,
            rows,
            event_id=event_id,
            source=source.source,
            kind=source.kind.value,
            received_at=check_aware(now),
        )
