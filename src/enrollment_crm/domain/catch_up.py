"""R6, catching up: what becomes of the points of a deadline that lie before a turn.

A *turn* is an instant at which somebody's calendar changes, or runs again after a standstill: a new person, another
term, residency, zone or date, the end of an outage. The rules call it *c*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from enrollment_crm.domain.points import Cadence, Point, in_window, next_hour_of_sending
from enrollment_crm.domain.withholding import WithholdReason


@dataclass(frozen=True)
class CatchUp:
    """What becomes of one missed point: it goes out, or is recorded with its reason, at ``settles_at`` (UTC)."""

    point: Point
    settles_at: datetime
    withheld: WithholdReason | None


def catch_up(
    points: Sequence[Point], *, turn: datetime, ends_at: datetime, zone: ZoneInfo, cadence: Cadence
) -> list[CatchUp]:
    """What R6 says of the points before a turn, oldest first; empty: none was missed.

    The newest goes out at the turn, or at the next ten o'clock of the recipient's clock; it is dropped where the
    next point is too near, or too little would be left until the cut-off. The older ones collapse into it. Whether
    somebody has had a newer one already is a question to the ledger.

    Args:
        points: the points of one deadline in one zone, oldest first.
        ends_at: the cut-off of the deadline (R1).
    """
    missed = [point for point in points if point.instant < turn]
    if not missed:
        return []
    *older, newest = missed
    goes_out = turn if in_window(turn, zone, cadence) else next_hour_of_sending(turn, zone, cadence)
    following = next((point for point in points if point.instant >= turn), None)
    dropped = _dropped(turn, goes_out, following, ends_at, cadence)
    return [
        *(CatchUp(point, turn, WithholdReason.COLLAPSED) for point in older),
        CatchUp(newest, turn if dropped else goes_out, dropped),
    ]


def _dropped(
    turn: datetime, goes_out: datetime, following: Point | None, ends_at: datetime, cadence: Cadence
) -> WithholdReason | None:
    if following and following.instant - turn <= timedelta(hours=cadence.too_close_in_hours):
        return WithholdReason.TOO_CLOSE_TO_NEXT
    if ends_at - goes_out <= timedelta(hours=cadence.too_late_in_hours):
        return WithholdReason.TOO_LATE
    return None
