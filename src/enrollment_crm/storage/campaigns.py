"""Campaigns: stopped, looked at and resumed; how many of the last messages were refused."""

from datetime import datetime

from sqlalchemy import Connection, DateTime, cast, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from enrollment_crm.domain.campaigns import CampaignStop
from enrollment_crm.domain.ledger import MessageState
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.models import BounceRow, CampaignStopRow, MessageRow

#: Status codes (RFC 3463) of an address, its mailbox or its domain; 5.1.7 and 5.1.8 speak of the sender.
_ABOUT_THE_ADDRESS = r"^5\.([24]\.|1\.(?![78]$))"
#: Without an end, or without having reached the relay.
_SAY_NOTHING = (
    MessageState.CLAIMED.value,
    MessageState.TRANSMITTING.value,
    MessageState.RETRY.value,
    MessageState.UNCERTAIN.value,
    MessageState.WITHHELD.value,
)


def stop_campaign(connection: Connection, kind: MessageKind, reason: str, now: datetime) -> bool:
    """Send nothing more of this kind until a person resumes it. False: it was stopped already, and that reason stays.

    Args:
        reason: a sentence without an address; operations read it.
    """
    statement = insert_or_ignore(CampaignStopRow).values(kind=kind.value, reason=reason, stopped_at=now)
    return connection.execute(statement.on_conflict_do_nothing().returning(CampaignStopRow.id)).first() is not None


def resume_campaign(connection: Connection, kind: MessageKind, *, by: str, remedy: str, now: datetime) -> bool:
    """Let it go on. False: it was not stopped."""
    statement = update(CampaignStopRow).where(CampaignStopRow.kind == kind.value, CampaignStopRow.resumed_at.is_(None))
    return connection.execute(statement.values(resumed_at=now, resumed_by=by, remedy=remedy)).rowcount == 1


def open_stops(connection: Connection) -> dict[MessageKind, CampaignStop]:
    """The kinds that are stopped, and why."""
    return {one.kind: one for one in campaign_stops(connection, open_only=True)}


def campaign_stops(connection: Connection, *, open_only: bool = False) -> list[CampaignStop]:
    """What was stopped, the newest first."""
    statement = select(CampaignStopRow.__table__).order_by(CampaignStopRow.id.desc())
    if open_only:
        statement = statement.where(CampaignStopRow.resumed_at.is_(None))
    return [
        CampaignStop(MessageKind(row.kind), row.reason, row.stopped_at, row.resumed_at, row.resumed_by, row.remedy)
        for row in connection.execute(statement)
    ]


def take_untold(connection: Connection, *, now: datetime) -> list[CampaignStop]:
    """Stops of which operations have not been told, marked as told: a transaction that fails takes that back."""
    untold = update(CampaignStopRow).where(CampaignStopRow.told_at.is_(None), CampaignStopRow.resumed_at.is_(None))
    told = connection.execute(untold.values(told_at=now).returning(CampaignStopRow.kind)).scalars().all()
    stops = open_stops(connection)
    return [stops[MessageKind(kind)] for kind in told]


def count_refused(connection: Connection, kind: MessageKind, *, window: int) -> int:
    """How many of the last messages of this kind, since it was last resumed, were refused for their address.

    A failed message whose bytes were frozen was refused by the relay; one whose address cannot be one was never frozen.
    A relay that takes every address refuses nothing: there the reports that come back say so, also of its domain.
    """
    resumed = select(func.max(CampaignStopRow.resumed_at)).where(CampaignStopRow.kind == kind.value).scalar_subquery()
    since = func.coalesce(resumed, cast("-infinity", DateTime(timezone=True)))
    last = (
        select(MessageRow.id, MessageRow.state, MessageRow.message_id)
        .where(MessageRow.kind == kind.value, MessageRow.state.not_in(_SAY_NOTHING), MessageRow.claimed_at >= since)
        .order_by(MessageRow.id.desc())
        .limit(window)
        .subquery()
    )
    refused = (last.c.state == MessageState.FAILED.value) & last.c.message_id.is_not(None)
    came_back = exists(
        select(1).where(BounceRow.message_row_id == last.c.id, BounceRow.status.regexp_match(_ABOUT_THE_ADDRESS))
    )
    return connection.execute(select(func.count()).select_from(last).where(or_(refused, came_back))).scalar_one()
