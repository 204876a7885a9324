"""Calendar feeds: the dates of one person, as their own calendar shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from enrollment_crm.domain.deadlines import Deadline, DeadlineRecord, deadlines_of, in_force_at
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm

#: What is over stays in the calendar for so long: a reader looks back at it.
_KEPT = timedelta(days=60)


@dataclass(frozen=True)
class FeedReader:
    """What the dates of a person follow from."""

    residency: Residency
    #: Program and term of each interest for which nothing has been submitted.
    interests: tuple[tuple[str, EntryTerm], ...]
    #: The sessions that they registered for, with those that were cancelled since.
    sessions: tuple[PrepSession, ...]


@dataclass(frozen=True)
class CalendarDeadline:
    """A deadline as a calendar shows it."""

    deadline: Deadline
    #: The program as people call it.
    program_name: str
    apply_url: str
    #: Since when the date is in force: an entry that has not changed is the same to the byte.
    in_force_from: datetime


def deadlines_in_feed(reader: FeedReader, records: Sequence[DeadlineRecord], *, now: datetime) -> list[DeadlineRecord]:
    """The dates that a reader follows, ahead or over for a short while, earliest first (R2)."""
    spans = {one.deadline: one for one in records}
    followed = (
        deadline
        for program, term in reader.interests
        for deadline in deadlines_of(
            in_force_at(records, now), program=program, entry_term=term, residency=reader.residency, now=now
        )
    )
    kept = {one for one in followed if one.ends_at() > now - _KEPT}
    return sorted((spans[one] for one in kept), key=lambda one: (one.deadline.ends_at(), str(one.deadline.group)))


def sessions_in_feed(sessions: Iterable[PrepSession], *, now: datetime) -> list[PrepSession]:
    """The sessions of a reader, ahead or over for a short while, earliest first; a cancelled one is told as such."""
    return sorted((one for one in sessions if one.starts > now - _KEPT), key=lambda one: (one.starts, one.id))
