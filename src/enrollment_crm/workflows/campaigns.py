"""Campaigns: operations are told once when one stops, and let it go on when the cause is mended."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.campaigns import CampaignStop, CampaignStoppedError
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.campaigns import campaign_stops, open_stops, resume_campaign, take_untold
from enrollment_crm.storage.engine import transaction


def check_not_stopped(connection: Connection, kind: MessageKind) -> None:
    """Raise CampaignStoppedError where messages of this kind are stopped."""
    if kind in open_stops(connection):
        raise CampaignStoppedError(CampaignStoppedError.__doc__)


def stop_of(engine: Engine, kind: MessageKind) -> CampaignStop | None:
    """Why nothing of this kind is sent; None: it is sent."""
    with transaction(engine) as connection:
        return open_stops(connection).get(kind)


def tell_of_stops(engine: Engine, tell: Callable[[CampaignStop], None], *, now: datetime) -> int:
    """Tell operations of every stop that they do not know of, and give their number; who fails to tell is asked again.

    Args:
        tell: reaches operations, or raises.
    """
    with transaction(engine) as connection:
        untold = take_untold(connection, now=check_aware(now))
        for one in untold:
            tell(one)
    return len(untold)


def list_stops(engine: Engine, *, open_only: bool) -> list[CampaignStop]:
    """What was stopped, the newest first."""
    with transaction(engine) as connection:
        return campaign_stops(connection, open_only=open_only)


def resume(engine: Engine, kind: MessageKind, *, by: str, remedy: str, now: datetime) -> bool:
    """Let a campaign go on with the next sweep. False: it was not stopped."""
    with transaction(engine) as connection:
        return resume_campaign(connection, kind, by=by, remedy=remedy, now=check_aware(now))
