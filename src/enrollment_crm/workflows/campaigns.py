"""Campaigns: a kind of message is stopped."""

from datetime import datetime

from sqlalchemy import Connection

from enrollment_crm.domain.messages import MessageKind


def stop_campaign(connection: Connection, kind: MessageKind, reason: str, now: datetime) -> None:
    """TODO"""
