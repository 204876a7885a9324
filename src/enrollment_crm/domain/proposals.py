"""Proposals: what the calendar is to say from now on, and what that changes of what is in force (R9, R10)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from enrollment_crm.domain.deadlines import Deadline, DeadlineGroup, DeadlineRecord
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program

#: What of a session a reader needs to know anew: those who registered are told when one of these changes (R10).
_TOLD = ("starts", "zone", "minutes", "location")
_SHOWN = (*_TOLD, "title", "url")


class ProposalError(ValueError):
    """The calendar cannot be changed like that. Correct what was proposed; nothing was changed."""


@dataclass(frozen=True)
class Proposal:
    """Dates and sessions as they shall be. What is not named stays as it is."""

    #: Where it was read: kept with every row that it makes.
    source: str
    #: Dates to be in force, of groups with another date or none.
    deadlines: tuple[Deadline, ...] = ()
    #: Groups that shall have no date any more.
    cancelled_deadlines: tuple[DeadlineGroup, ...] = ()
    #: Sessions to take place, new or changed.
    prep_sessions: tuple[PrepSession, ...] = ()
    #: Ids of sessions that shall not take place.
    cancelled_sessions: tuple[str, ...] = ()
    #: Program -> where its dates were read, if not in ``source``.
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DeadlineChange:
    """A date of one group that is added (no old one), moved, or cancelled (no new one)."""

    old: Deadline | None
    new: Deadline | None
    source: str

    @property
    def group(self) -> DeadlineGroup:
        """Whose date it is."""
        one = self.new or self.old
        if one is None:
            raise ProposalError("A change of a deadline has neither an old nor a new date: make the plan again.")
        return one.group


@dataclass(frozen=True)
class SessionChange:
    """A session that is added (no old one), changed, or cancelled (no new one)."""

    old: PrepSession | None
    new: PrepSession | None

    @property
    def session(self) -> PrepSession:
        """The session as it will stand; a cancelled one as it stood."""
        one = self.new or self.old
        if one is None:
            raise ProposalError("A change of a session names no session: make the plan again.")
        return one

    @property
    def is_told(self) -> bool:
        """Whether those who registered hear of it: it is cancelled, or has another hour, length or place (R10)."""
        return self.old is not None and (
            self.new is None or any(getattr(self.old, name) != getattr(self.new, name) for name in _TOLD)
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """What of a session that stays on is changed."""
        if self.old is None or self.new is None:
            return ()
        return tuple(name for name in _SHOWN if getattr(self.old, name) != getattr(self.new, name))


def deadline_changes(proposal: Proposal, in_force: Iterable[Deadline]) -> tuple[DeadlineChange, ...]:
    """What the proposal changes of the dates in force. A date that stays as it was is no change (R6).

    Raises:
        ProposalError: it names a group twice.
    """
    known = {one.group: one for one in in_force}
    named = [*(one.group for one in proposal.deadlines), *proposal.cancelled_deadlines]
    twice = next((group for group in named if named.count(group) > 1), None) if len(set(named)) < len(named) else None
    if twice:
        raise ProposalError(f"{in_words(twice)} is named twice: state one date for it.")
    changes = []
    for new in proposal.deadlines:
        old = known.get(new.group)
        if old is None or (old.stated_date, old.cut_off_zone) != (new.stated_date, new.cut_off_zone):
            version = old.version + 1 if old else 1
            changes.append(DeadlineChange(old, replace(new, version=version), _source(proposal, new.group)))
    changes += [
        DeadlineChange(known[group], None, _source(proposal, group))
        for group in proposal.cancelled_deadlines
        if group in known
    ]
    return tuple(sorted(changes, key=lambda change: change.group))


def session_changes(proposal: Proposal, sessions: Iterable[PrepSession], *, now: datetime) -> tuple[SessionChange, ...]:
    """What the proposal changes of the sessions. One that has begun or was cancelled is not touched.

    Raises:
        ProposalError: a session would begin in the past.
    """
    known = {one.id: one for one in sessions}
    changes = []
    for new in proposal.prep_sessions:
        old = known.get(new.id)
        if old is not None and (old.starts <= now or old.cancelled_at is not None):
            continue
        if old is None and new.starts <= now:
            continue
        change = SessionChange(old, new)
        if old is None or change.fields:
            if new.starts <= now:
                raise ProposalError(
                    f"Session {new.id} would begin at {new.local_start:%Y-%m-%d %H:%M}, which is past: cancel it, or "
                    "give it a start that is ahead."
                )
            changes.append(change)
    for session_id in proposal.cancelled_sessions:
        old = known.get(session_id)
        if old is not None and old.starts > now and old.cancelled_at is None:
            changes.append(SessionChange(old, None))
    return tuple(sorted(changes, key=lambda change: (change.session.starts, change.session.id)))


def still_cancelled(proposal: Proposal, sessions: Iterable[PrepSession], *, now: datetime) -> tuple[PrepSession, ...]:
    """The sessions that the proposal lists although they were cancelled, as they stood: a cancellation is the last
    word on a session (R10), whoever lists it again."""
    listed = {one.id for one in proposal.prep_sessions if one.starts > now}
    return tuple(one for one in sessions if one.cancelled_at is not None and one.id in listed)


def records_after(
    records: Sequence[DeadlineRecord], changes: Iterable[DeadlineChange], now: datetime
) -> list[DeadlineRecord]:
    """The history of dates as it will be when the changes have been made at ``now``."""
    changed = {change.group for change in changes}
    ended = [
        replace(one, replaced_at=now) if one.replaced_at is None and one.deadline.group in changed else one
        for one in records
    ]
    return [*ended, *(DeadlineRecord(change.new, now) for change in changes if change.new)]


def sessions_after(sessions: Iterable[PrepSession], changes: Iterable[SessionChange]) -> list[PrepSession]:
    """The sessions ahead as they will be when the changes have been made."""
    changed = {change.session.id: change.new for change in changes}
    kept = [one for one in sessions if one.id not in changed]
    return sorted([*kept, *(new for new in changed.values() if new)], key=lambda one: (one.starts, one.id))


def configured_proposal(
    programs: Mapping[str, Program],
    *,
    in_force: Sequence[Deadline],
    configured_groups: Iterable[DeadlineGroup],
    sessions: Iterable[PrepSession],
    configured_sessions: Iterable[str],
    now: datetime,
) -> Proposal:
    """What a configuration proposes: its dates and sessions, and the end of those that it listed once and no longer.

    What is over is left alone, and so are the dates of programs that the configuration does not hold.

    Args:
        configured_groups: groups whose date in force came from the configuration.
        configured_sessions: ids of sessions that came from it.
    """
    known = {one.group: one for one in in_force}
    listed = [one for program in programs.values() for one in program.deadlines]
    listed_sessions = tuple(one for program in programs.values() for one in program.prep_sessions)
    groups, ids = {one.group for one in listed}, {one.id for one in listed_sessions}
    dropped = [group for group in configured_groups if group in known and group not in groups]
    ahead = {one.id for one in sessions if one.starts > now}
    return Proposal(
        source="configuration",
        deadlines=tuple(one for one in listed if one.ends_at() > now or _is_ahead(known.get(one.group), now)),
        cancelled_deadlines=tuple(
            group for group in sorted(dropped) if group.program in programs and _is_ahead(known[group], now)
        ),
        prep_sessions=listed_sessions,
        cancelled_sessions=tuple(sorted(one for one in configured_sessions if one in ahead and one not in ids)),
        sources={key: program.source for key, program in programs.items()},
    )


def in_words(group: DeadlineGroup) -> str:
    """``final spring 2027, domestic``."""
    return f"{group.round.value.replace('_', ' ')} {group.entry_term}, {group.residency.value.replace('_', ' ')}"


def _is_ahead(deadline: Deadline | None, now: datetime) -> bool:
    return deadline is not None and deadline.ends_at() > now


def _source(proposal: Proposal, group: DeadlineGroup) -> str:
    return proposal.sources.get(group.program, proposal.source)
