"""R10: which reminders of a prep session are due, and which were missed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.domain.calendars import NEW_YORK, at

from enrollment_crm.domain.points import Cadence
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.reminders import Span
from enrollment_crm.domain.session_reminders import DueSession, due_sessions, name_of_session
from enrollment_crm.domain.withholding import WithholdReason

SESSION = PrepSession("prep-1", "Prep", at("2025-11-07T15:00Z"), NEW_YORK, 60, "Online", "https://crm.example/1")


def found(
    since: str, until: str, *, missed_since: str = "", session: PrepSession = SESSION
) -> list[tuple[str, str | None]]:
    """Offset of each point, and whether it is only recorded."""
    due = Span(at(since), at(until))
    missed = Span(at(missed_since or since), at(since))
    return [(one.offset, one.withheld) for one in due_sessions([session], Cadence(), missed=missed, due=due)]


@pytest.mark.parametrize(
    ("since", "until", "offsets"),
    [
        ("2025-10-31T13:59:00Z", "2025-10-31T14:00:00Z", ["7d"]),  # 168 hours before would be an hour later
        ("2025-10-31T14:00:00Z", "2025-10-31T15:00:00Z", []),
        ("2025-11-06T14:00:00Z", "2025-11-06T15:00:00Z", ["1d"]),
        ("2025-11-07T13:00:00Z", "2025-11-07T14:00:00Z", ["1h"]),
        ("2025-11-07T13:00:00Z", "2025-11-07T13:59:59Z", []),
        ("2025-11-06T14:00:00Z", "2025-11-07T14:59:59Z", ["1d", "1h"]),
    ],
)
def test_a_week_a_day_and_an_hour_before(since: str, until: str, offsets: list[str]) -> None:
    assert found(since, until) == [(one, None) for one in offsets]


def test_what_was_missed_in_an_outage_is_too_late_and_never_caught_up() -> None:
    late = WithholdReason.TOO_LATE
    assert found("2025-11-06T14:00Z", "2025-11-06T15:00Z", missed_since="2025-10-30T00:00Z") == [
        ("7d", late),
        ("1d", None),
    ]


def test_once_the_session_has_begun_its_last_call_is_too_late() -> None:
    assert found("2025-11-07T13:59:59Z", "2025-11-07T14:59:59Z") == [("1h", None)]
    assert found("2025-11-07T13:59:59Z", "2025-11-07T15:00:00Z") == [("1h", WithholdReason.TOO_LATE)]


def test_points_before_the_session_was_announced_or_moved_are_not_its_own() -> None:
    """A point at that very instant is."""
    point = at("2025-10-31T14:00Z")
    for known_from, offsets in ((point, ["7d"]), (point + timedelta(microseconds=1), [])):
        session = replace(SESSION, changed_at=known_from)
        assert [one for one, _ in found("2025-10-31T13:00Z", "2025-10-31T14:00Z", session=session)] == offsets


def test_what_operations_read_in_the_grid() -> None:
    due = DueSession(at("2025-11-07T14:00Z"), SESSION, "1h")
    assert name_of_session(due) == "session prep-1 · 1 hour"
    assert name_of_session(replace(due, offset="7d")) == "session prep-1 · 7 days"
    assert name_of_session(replace(due, withheld=WithholdReason.TOO_LATE)) == "session prep-1 · 1 hour · too late"
