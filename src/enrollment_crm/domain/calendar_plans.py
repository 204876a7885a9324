"""Plans: a change of the calendar with all that it does, made before anything is written."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.impacts import CellImpact, Figures
from enrollment_crm.domain.invitation_impacts import InvitationImpact
from enrollment_crm.domain.proposals import DeadlineChange, SessionChange


class StalePlanError(ValueError):
    """The plan does not fit the calendar any more: make it again, read it, and apply the new one."""


class PlanAlreadyAppliedError(StalePlanError):
    """The plan was applied before; a plan is applied once. For another change make another plan."""


@dataclass(frozen=True)
class SessionImpact:
    """The change of one session, and how many of those who registered are told of it at once (R10)."""

    change: SessionChange
    told: int


@dataclass(frozen=True)
class CalendarPlan:
    """What would change, and what that does to people if it is applied at ``made_at`` and nothing else happens."""

    #: Where the new dates were read.
    source: str
    made_at: datetime
    #: Fingerprint of the calendar that it was made against.
    calendar: str
    deadlines: tuple[DeadlineChange, ...]
    cells: tuple[CellImpact, ...]
    sessions: tuple[SessionImpact, ...]
    invitations: tuple[InvitationImpact, ...]
    #: What was proposed and is not done, each with why and what to do instead.
    remarks: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return not self.deadlines and not self.sessions

    @property
    def totals(self) -> Figures:
        """The figures of all cells together. A person who follows several dates counts once for each."""
        return sum((cell.figures for cell in self.cells), Figures())

    @property
    def checklist_totals(self) -> Figures:
        """The figures of checklist reminders of all cells together."""
        return sum((cell.checklists for cell in self.cells), Figures())


def checksum(content: str) -> str:
    """What a plan is known by: a hash over what it says."""
    return hashlib.sha256(content.encode()).hexdigest()
