"""A plan of the calendar in words: for a terminal, and for the dialog in which a person approves it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from enrollment_crm.domain.calendar_plans import CalendarPlan
from enrollment_crm.domain.deadlines import Deadline
from enrollment_crm.domain.impacts import CellImpact, Figures
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.proposals import DeadlineChange, SessionChange, in_words


def plan_in_words(plan: CalendarPlan) -> str:
    """The whole plan as plain text: each change, what it does to whom, and the totals."""
    if plan.is_empty:
        same = "" if plan.remarks else ": the calendar in force says the same"
        return "\n".join([f"Nothing would change{same}.", *remarks_in_words(plan)])
    made = plan.made_at.astimezone(UTC)
    lines = [f"Plan of {made:%Y-%m-%d %H:%M} UTC, read from: {plan.source}", ""]
    lines += [f"- {line}" for line in changes_in_words(plan)]
    for cell in plan.cells:
        figures = [*_figures_in_words(cell.figures), *_checklists_in_words(cell.checklists)]
        lines += ["", _cell_in_words(cell), *(f"    {line}" for line in figures)]
    lines += ["", *totals_in_words(plan), *remarks_in_words(plan)]
    return "\n".join(lines)


def changes_in_words(plan: CalendarPlan) -> list[str]:
    """Each change in one line, dates first."""
    return [
        *(f"{_deadline_in_words(one)}{_past(one, plan.made_at)}" for one in plan.deadlines),
        *(_session_in_words(one.change) for one in plan.sessions),
    ]


def totals_in_words(plan: CalendarPlan) -> list[str]:
    """What all of it does together."""
    lines = ["In all:"] if plan.cells else []
    figures = [*_figures_in_words(plan.totals), *_checklists_in_words(plan.checklist_totals)]
    lines += [f"    {line}" for line in figures] if plan.cells else []
    for one in plan.sessions:
        if one.change.is_told:
            lines.append(f"    session {one.change.session.id}: {one.told:,} registered people are told at once")
    for invitation in plan.invitations:
        lines.append(
            f"    session {invitation.prep_session_id} of {invitation.starts.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
            f"{invitation.invited:,} more people invited, {invitation.no_longer_invited:,} fewer"
        )
    return lines or ["Nobody gets another message because of it."]


def remarks_in_words(plan: CalendarPlan) -> list[str]:
    """What was proposed and is not done; empty: nothing of the kind."""
    return ["", "Not done:", *(f"- {one}" for one in plan.remarks)] if plan.remarks else []


def cancelled_in_words(session: PrepSession) -> str:
    """That a session which is listed again stays cancelled, and what to do if it takes place after all (R10)."""
    since = f" on {session.cancelled_at.astimezone(UTC):%Y-%m-%d}" if session.cancelled_at else ""
    return (
        f"session {session.id}, {session.local_start:%a %Y-%m-%d %H:%M} ({session.zone}): it is listed, and was "
        f"cancelled{since}; it stays cancelled, as those who registered were told. If it takes place after all, list "
        "it under another id; if not, delete its line."
    )


def _deadline_in_words(change: DeadlineChange) -> str:
    name = f"{change.group.program}, {in_words(change.group)}"
    old, new = change.old, change.new
    if old is None and new is not None:
        return f"{name}: {_day(new.stated_date)} is added{_zone(None, new)}"
    if new is None and old is not None:
        return f"{name}: {_day(old.stated_date)} is cancelled"
    if old is None or new is None:
        return name
    if old.stated_date == new.stated_date:
        return f"{name}: {_day(new.stated_date)} stays{_zone(old, new)}"
    days = (new.stated_date - old.stated_date).days
    how = f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'later' if days > 0 else 'earlier'}"
    return f"{name}: {_day(old.stated_date)} moves to {_day(new.stated_date)}, {how}{_zone(old, new)}"


def _past(change: DeadlineChange, now: datetime) -> str:
    """What a mistyped year does must be seen before it is applied."""
    is_past = change.new is not None and change.new.ends_at() <= now
    return "; it is past: no reminder goes out for it, and who applies is late" if is_past else ""


def _zone(old: Deadline | None, new: Deadline) -> str:
    if old is not None and old.cut_off_zone == new.cut_off_zone:
        return ""
    return f", ends on the clock of {new.cut_off_zone}"


def _day(day: date) -> str:
    """``Tue 2026-12-15``: the weekday shows what a mistyped digit does."""
    return f"{day:%a} {day.isoformat()}"


def _session_in_words(change: SessionChange) -> str:
    session = change.session
    when = f"{session.local_start:%a %Y-%m-%d %H:%M} ({session.zone})"
    if change.new is None:
        return f"session {session.id}, {when}: cancelled"
    if change.old is None:
        details = ", ".join(filter(None, [session.title, f"{session.minutes} minutes", session.location]))
        return f"session {session.id}, {when}: added ({details})"
    said = []
    if "starts" in change.fields or "zone" in change.fields:
        said.append(f"moves from {change.old.local_start:%a %Y-%m-%d %H:%M} ({change.old.zone})")
    said += [
        f"{name} {getattr(change.old, name)!r} becomes {getattr(change.new, name)!r}"
        for name in change.fields
        if name not in ("starts", "zone")
    ]
    told = "" if change.is_told else "; nobody is told"
    return f"session {session.id}, {when}: {', '.join(said)}{told}"


def _cell_in_words(cell: CellImpact) -> str:
    dates = (one.isoformat() if one else "no date" for one in (cell.old_date, cell.new_date))
    what = f"{cell.round.replace('_', ' ')} {cell.entry_term}, {cell.residency.replace('_', ' ')}"
    before, after = dates
    return f"{cell.program}, {what}: {before} -> {after}" if before != after else f"{cell.program}, {what}: {after}"


def _figures_in_words(figures: Figures) -> Iterator[str]:
    none = f", {figures.withheld:,} of them without its reminders (applied, unsubscribed, unreachable)"
    got = none if figures.withheld else ""
    follow = "1 person follows" if figures.people == 1 else f"{figures.people:,} people follow"
    yield f"{follow} it{got}"
    yield f"reminders to come: {figures.to_come:,}; withdrawn: {figures.withdrawn:,}"
    yield f"already sent for the old date: {figures.reminders_sent:,} to {figures.reminded_people:,} people"
    yield (
        f"caught up with at once: {figures.catch_up_at_once:,}, in their morning: {figures.catch_up_in_the_morning:,}; "
        f"dropped as too close to the next: {figures.too_close:,}, as too late: {figures.too_late:,}"
    )
    yield f"told that the date has moved: {figures.notices:,}"


def _checklists_in_words(figures: Figures) -> Iterator[str]:
    """Nothing where nobody's application awaits anything, or the program does not remind of it."""
    if not figures.people:
        return
    none = f", {figures.withheld:,} of them unreachable" if figures.withheld else ""
    theirs = "1 application awaits" if figures.people == 1 else f"{figures.people:,} applications await"
    yield f"{theirs} something{none}"
    yield f"    checklist reminders to come: {figures.to_come:,}; withdrawn: {figures.withdrawn:,}"
    yield f"    already sent for the old date: {figures.reminders_sent:,} to {figures.reminded_people:,} people"
    late = figures.catch_up_at_once, figures.catch_up_in_the_morning, figures.too_close, figures.too_late
    if any(late):
        at_once, in_the_morning, too_close, too_late = late
        yield (
            f"    of an outage, at once: {at_once:,}, in their morning: {in_the_morning:,}; "
            f"dropped as too close to the next: {too_close:,}, as too late: {too_late:,}"
        )
