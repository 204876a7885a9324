"""Watching the inbox: told by the database when a row arrives (LISTEN), and asking every few seconds besides."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from sqlalchemy import make_url

from enrollment_crm.storage.inbox import CHANNEL

#: A notification can be missed; nothing waits longer than this for the next look.
_LOOK_EVERY_IN_SECONDS = 2.0
#: An answer that takes longer never comes: the server hangs, or its machine is gone without a word.
_ANSWER_WITHIN_IN_SECONDS = 10.0
_PENDING = "SELECT count(*), coalesce(max(id), 0) FROM inbox WHERE kind = %s AND outcome = 'pending'"


@dataclass(frozen=True)
class Pending:
    """What waits in the inbox: how many rows, and the newest. Another state means that something has changed."""

    rows: int
    newest_id: int


class InboxWatch:
    """A connection that listens to the inbox.

    Raises ``psycopg.Error`` when the database goes away, and ``TimeoutError`` (an ``OSError``) when it does not answer.
    """

    def __init__(self, connection: psycopg.AsyncConnection, kind: str) -> None:
        self._connection = connection
        self._kind = kind

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, kind: str) -> AsyncIterator[Self]:
        """Listen on the database at this SQLAlchemy URL."""
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        async with asyncio.timeout(_ANSWER_WITHIN_IN_SECONDS):
            connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_IN_SECONDS):
                await connection.execute(f"LISTEN {CHANNEL}")
            yield cls(connection, kind)
        finally:
            await connection.close()

    async def pending(self) -> Pending:
        """What waits now."""
        async with asyncio.timeout(_ANSWER_WITHIN_IN_SECONDS):
            cursor = await self._connection.execute(_PENDING, [self._kind])
            row = await cursor.fetchone()
        return Pending(*row) if row else Pending(0, 0)

    async def wait(self) -> None:
        """Return when a row of this kind has arrived, or after a few seconds."""
        async for notification in self._connection.notifies(timeout=_LOOK_EVERY_IN_SECONDS):
            if notification.payload == self._kind:
                return
