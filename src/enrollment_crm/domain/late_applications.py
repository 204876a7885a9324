"""Late applications: considered case by case, never refused; a person decides (R1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrollment_crm.domain.deadlines import Deadline, Round
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.routing import Review

LATE_APPLICATION = "late_application"


@dataclass(frozen=True)
class SubmittedApplication:
    """An application that has been submitted. ``occurred_at``: by the source's own clock."""

    #: None: the source names no program.
    program: str | None
    entry_term: str
    occurred_at: datetime


def late_applications(
    submitted: Iterable[SubmittedApplication],
    deadlines: Iterable[Deadline],
    *,
    residency: Residency,
    default_program: str,
) -> list[Review]:
    """R1: a review for each application submitted at or after the final cut-off of its term and the residency.

    Residency unknown: the latest of the three dates. Early action is never late. An application without a program is
    measured by the default program's dates.
    """
    finals = [one for one in deadlines if one.group.round is Round.FINAL]
    reviews = []
    for application in submitted:
        program = application.program or default_program
        theirs = [d for d in finals if (d.group.program, str(d.group.entry_term)) == (program, application.entry_term)]
        last = _final_for(theirs, residency)
        if last and application.occurred_at >= last.ends_at():
            detail = f"submitted for {application.entry_term} after {last.stated_date}: late, case by case"
            reviews.append(Review(LATE_APPLICATION, detail))
    return reviews


def _final_for(finals: Sequence[Deadline], residency: Residency) -> Deadline | None:
    if residency in STATED_GROUPS:
        return next((d for d in finals if d.group.residency is residency), None)
    return max(finals, key=lambda d: d.stated_date, default=None)


def moved_to_past(entry_term: str, deadline: Deadline, now: datetime) -> Review | None:
    """R1: a review where an answer moves somebody to a final date that is past."""
    if deadline.group.round is not Round.FINAL or deadline.ends_at() > now:
        return None
    detail = f"an answer moved the final date for {entry_term} to {deadline.stated_date}, which is past"
    return Review(LATE_APPLICATION, detail)
