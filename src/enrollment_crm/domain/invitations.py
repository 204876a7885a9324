"""Invitations to prep sessions (R8, R10): to people who have not submitted and are not registered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, FollowedDeadlines
from enrollment_crm.domain.points import Cadence, invitation_point
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency


@dataclass(frozen=True)
class DueInvitation:
    """The invitation to one session, for the people of one zone."""

    prep_session_id: str
    starts: datetime
    ends: datetime
    offset: str
    #: Ten o'clock of their clock, a week before; it is for those who were there by then, and never caught up.
    instant: datetime
    #: Its hour is still to come: it goes along with a deadline message of the same day, and not by itself (R8).
    folds_only: bool = False


@dataclass(frozen=True)
class NextCutOff:
    """The next deadline of one group: a session must end before the earliest one of its reader to be of help."""

    program: str
    entry_term: str
    residency: str
    ends_at: datetime


def invitations_at(
    sessions: Iterable[PrepSession], zone: str, cadence: Cadence, *, after: datetime, until: datetime
) -> list[DueInvitation]:
    """The invitations whose hour falls into ``(after, until]`` in a zone, and those that still come on its day."""
    clock = ZoneInfo(zone)
    today = until.astimezone(clock).date()
    found = []
    for session in sessions:
        point = invitation_point(session.starts, ZoneInfo(session.zone), clock, cadence)
        comes_today = point.instant > until and point.instant.astimezone(clock).date() == today
        if (after < point.instant <= until or comes_today) and session.starts > until:
            found.append(
                DueInvitation(session.id, session.starts, session.ends, point.offset, point.instant, comes_today)
            )
    return found


def next_cut_offs(deadlines: Iterable[Deadline], now: datetime) -> list[NextCutOff]:
    """The next deadline that is ahead of each group of each program and term, also of unknown residency (R2)."""
    followed = FollowedDeadlines(deadlines, now)
    first: dict[tuple[str, str, str], datetime] = {}
    for program, entry_term, a_round in followed.rounds():
        for residency in Residency:
            deadline = followed.followed_by(DeadlineGroup(program, entry_term, a_round, residency))
            if deadline and deadline.ends_at() > now:
                key = (program, str(entry_term), residency.value)
                first[key] = min(first.get(key, deadline.ends_at()), deadline.ends_at())
    return [NextCutOff(*key, ends_at) for key, ends_at in first.items()]
