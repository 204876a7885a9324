"""The calendar as tables and as JSON."""

import dataclasses
import json
from datetime import date
from typing import Any

from enrollment_crm.cli.output import print_rows
from enrollment_crm.domain.deadlines import DeadlineGroup
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.rollover import DateToConfirm
from enrollment_crm.workflows.calendars import CalendarShown, DateInForce

_GROUP = ("Program", "Term", "Round", "Residency")


def print_calendar(shown: CalendarShown) -> None:
    """Dates in force, dates that wait, sessions ahead."""
    columns = (*_GROUP, "Date", "Version", "Follow it", "Source", "Approved", "Why")
    print_rows("In force", columns, [_in_force(one) for one in shown.in_force])
    print_waiting(shown.waiting)
    sessions = [_session(one) for one in shown.sessions]
    print_rows("Sessions ahead", ("Id", "Title", "Starts", "Minutes", "Where", "Sequence"), sessions)


def print_waiting(waiting: tuple[DateToConfirm, ...]) -> None:
    """Dates that wait for a person, with what to look at twice."""
    rows = [(*_group(one.deadline.group), _day(one.deadline.stated_date), "\n".join(one.warnings)) for one in waiting]
    print_rows("To be confirmed: nothing is sent for these", (*_GROUP, "Date", "Look twice"), rows)


def waiting_as_json(waiting: tuple[DateToConfirm, ...]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {**_named(one.deadline.group), "date": str(one.deadline.stated_date), "warnings": list(one.warnings)}
        for one in waiting
    ]


def calendar_as_json(shown: CalendarShown) -> str:
    """Everything that is shown, as one JSON object."""
    in_force = [
        {
            **_named(one.entry.group),
            "date": str(one.entry.stated_date),
            "cut_off_zone": one.entry.cut_off_zone,
            "version": one.entry.version,
            "source": one.entry.source,
            "approved_by": one.entry.approved_by,
            "approved_at": one.entry.approved_at,
            "reason": one.entry.reason,
            "people": one.people,
            "people_of_unknown_residency": one.people_of_unknown_residency,
        }
        for one in shown.in_force
    ]
    sessions = [dataclasses.asdict(one) for one in shown.sessions]
    said = {"in_force": in_force, "to_be_confirmed": waiting_as_json(shown.waiting), "sessions": sessions}
    return json.dumps(said, default=str)


def _in_force(one: DateInForce) -> tuple[str, ...]:
    entry, unknown = one.entry, one.people_of_unknown_residency
    when = f"{entry.approved_at:%Y-%m-%d %H:%M}" if entry.approved_at else ""
    return (
        *_group(entry.group),
        _day(entry.stated_date),
        str(entry.version),
        f"{one.people:,}" + (f"\n+ {unknown:,} of unknown residency" if unknown else ""),
        entry.source,
        f"{entry.approved_by}\n{when}",
        entry.reason,
    )


def _session(one: PrepSession) -> tuple[str, ...]:
    starts = f"{one.local_start:%a %Y-%m-%d %H:%M}\n{one.zone}"
    return one.id, one.title, starts, str(one.minutes), one.location, str(one.sequence)


def _group(group: DeadlineGroup) -> tuple[str, ...]:
    return tuple(str(one).replace("_", " ") if name != "program" else one for name, one in _named(group).items())


def _named(group: DeadlineGroup) -> dict[str, str]:
    return {
        "program": group.program,
        "entry_term": str(group.entry_term),
        "round": group.round.value,
        "residency": group.residency.value,
    }


def _day(day: date) -> str:
    return f"{day:%a} {day}"
