"""Invitations before and after a change: of which sessions readers hear, as their next deadline is another (R10)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.invitations import next_cut_offs
from enrollment_crm.domain.points import Cadence, invitation_point
from enrollment_crm.domain.prep_sessions import PrepSession

#: Program, entry term and residency group.
ReaderCell = tuple[str, str, str]


class Help(StrEnum):
    """Whether a session helps the people of a cell, when its invitation goes out."""

    #: It ends before their next deadline of this program and term.
    BEFORE = "before"
    #: It ends after it: too late to be of help.
    AFTER = "after"
    #: They have no deadline of this program and term ahead, or there is no such invitation.
    NONE = "none"


@dataclass(frozen=True)
class Announcement:
    """A session with one start: what an invitation is about. Its key is (session, start, offset) (R5)."""

    prep_session_id: str
    starts: datetime
    offset: str


@dataclass(frozen=True)
class InvitationCase:
    """An announcement in some zones that the change concerns alike: for each cell, its help before and after."""

    announcement: Announcement
    #: Zone -> when its people are invited.
    zones: Mapping[str, datetime]
    helps: Mapping[ReaderCell, tuple[Help, Help]]


@dataclass(frozen=True)
class InvitationImpact:
    """How many people will be invited, or not any more, to a session with this start because of the change."""

    prep_session_id: str
    starts: datetime
    invited: int
    no_longer_invited: int


@dataclass(frozen=True)
class SessionCalendar:
    """Sessions ahead, and the dates that decide whom they help."""

    sessions: Sequence[PrepSession]
    deadlines: Sequence[Deadline]


def invitation_cases(
    before: SessionCalendar, after: SessionCalendar, zones: Iterable[str], cadence: Cadence, *, since: datetime
) -> list[InvitationCase]:
    """The announcements of which somebody would hear or not hear because of the change.

    Args:
        since: invitations due up to here are settled.
    """
    helps_before, helps_after = _Helps(before), _Helps(after)
    sessions = {(one.id, one.starts): one for one in (*before.sessions, *after.sessions)}
    zones, found = list(zones), []
    for session in sessions.values():
        alike: dict[tuple[tuple[ReaderCell, tuple[Help, Help]], ...], dict[str, datetime]] = {}
        offset = ""
        for zone in zones:
            point = invitation_point(session.starts, ZoneInfo(session.zone), ZoneInfo(zone), cadence)
            offset = point.offset
            if since < point.instant < session.starts:
                helps = _pairs(helps_before.at(session, point.instant), helps_after.at(session, point.instant))
                alike.setdefault(helps, {})[zone] = point.instant
        announcement = Announcement(session.id, session.starts, offset)
        found += [
            InvitationCase(announcement, instants, dict(helps))
            for helps, instants in alike.items()
            if any(old is not new for _, (old, new) in helps)
        ]
    return found


def _pairs(
    before: Mapping[ReaderCell, Help], after: Mapping[ReaderCell, Help]
) -> tuple[tuple[ReaderCell, tuple[Help, Help]], ...]:
    cells = sorted({*before, *after})
    return tuple((cell, (before.get(cell, Help.NONE), after.get(cell, Help.NONE))) for cell in cells)


class _Helps:
    """Whom each session of a calendar helps, worked out once between two cut-offs."""

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._known = {(one.id, one.starts): one for one in calendar.sessions}
        self._cut_offs = sorted({one.ends_at() for one in calendar.deadlines})
        self._worked_out: dict[tuple[str, datetime, int], dict[ReaderCell, Help]] = {}

    def at(self, session: PrepSession, instant: datetime) -> dict[ReaderCell, Help]:
        """Empty, where the calendar has no session with this start."""
        known = self._known.get((session.id, session.starts))
        if known is None:
            return {}
        key = (session.id, session.starts, bisect_right(self._cut_offs, instant))
        if key not in self._worked_out:
            self._worked_out[key] = {
                (one.program, one.entry_term, one.residency): Help.BEFORE if known.ends <= one.ends_at else Help.AFTER
                for one in next_cut_offs(self._calendar.deadlines, instant)
            }
        return self._worked_out[key]
