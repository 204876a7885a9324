"""Message events: the steps in the life of a message that its own row does not tell. Only ever added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from enrollment_crm.storage.models import MessageEventRow


@dataclass(frozen=True)
class MessageEvent:
    """One step: what happened, when, who said so and in which words. No people."""

    kind: str
    at: datetime
    recorded_at: datetime | None
    source: str
    status: str
    detail: str


def add_message_event(
    connection: Connection,
    message_row_id: int,
    kind: str,
    *,
    at: datetime | None = None,
    source: str = "",
    status: str = "",
    detail: str = "",
) -> None:
    """Add a step. Without ``at`` it is now, by the database's clock."""
    values: Mapping[str, Any] = {
        "message_row_id": message_row_id,
        "kind": kind,
        "at": at if at is not None else func.clock_timestamp(),
        "source": source,
        "status": status,
        "detail": detail,
    }
    connection.execute(insert(MessageEventRow).values(values))


def events_of_message(connection: Connection, message_row_id: int) -> list[MessageEvent]:
    """The steps of one message, in the order in which they were recorded."""
    columns = [MessageEventRow.__table__.c[name] for name in MessageEvent.__dataclass_fields__]
    statement = select(*columns).where(MessageEventRow.message_row_id == message_row_id)
    return [MessageEvent(*row) for row in connection.execute(statement.order_by(MessageEventRow.id))]
