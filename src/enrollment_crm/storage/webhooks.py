"""Posts of webhooks: the rows of an event are kept once, by the id of the event and by what they say."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from enrollment_crm.domain.webhooks import REMEMBERED
from enrollment_crm.storage.inbox import CHANNEL, Kept, digest_of

#: Forgotten at each post: two are more than come with it, so that no memory grows without end, and no post waits.
_FORGOTTEN_AT_ONCE = 2

#: One statement, one round trip. Whoever sends the same event at the same instant waits for the first one to be
#: committed, and is then known. Listeners are told as everywhere: with the commit, and once for each commit.
_KEEP = text("""
WITH forgotten AS (
    DELETE FROM webhook_event WHERE (source, event_id) IN (
        SELECT source, event_id FROM webhook_event WHERE received_at < :forget_before
        ORDER BY received_at LIMIT :forgotten_at_once FOR UPDATE SKIP LOCKED
    )
), event AS (
    INSERT INTO webhook_event (source, event_id, received_at) VALUES (:source, :event_id, :now)
    ON CONFLICT DO NOTHING RETURNING event_id
), kept AS (
    INSERT INTO inbox (source, kind, received_at, raw, digest)
    SELECT :source, :kind, :now, raw::json, digest
    FROM event, unnest(CAST(:raws AS text[]), CAST(:digests AS text[])) AS posted (raw, digest)
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT (SELECT count(*) FROM event), count(*),
    CASE WHEN count(*) > 0 THEN pg_notify(:channel, :kind)::text END
FROM kept
""")


def keep_event(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    event_id: str,
    source: str,
    kind: str,
    received_at: datetime,
) -> Kept | None:
    """Keep the rows of an event; None: the event is known, and nothing was kept."""
    values = {
        "source": source,
        "event_id": event_id,
        "kind": kind,
        "now": received_at,
        "raws": [json.dumps(row) for row in rows],
        "digests": [digest_of(row) for row in rows],
        "channel": CHANNEL,
        "forget_before": received_at - REMEMBERED,
        "forgotten_at_once": _FORGOTTEN_AT_ONCE,
    }
    events, new, _ = connection.execute(_KEEP, values).one()
    return Kept(new=new, known=len(rows) - new) if events else None
