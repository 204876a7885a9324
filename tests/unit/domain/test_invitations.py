"""Invitations: which of them are due, and before which deadline a session helps (R8, R10)."""

from datetime import timedelta

from tests.unit.domain.calendars import EARLY_FALL, NEW_YORK, PROGRAM, SHANGHAI, SPRING, at

from enrollment_crm.domain.invitations import invitations_at, next_cut_offs
from enrollment_crm.domain.points import Cadence
from enrollment_crm.domain.prep_sessions import PrepSession

#: Friday, 7 November 2025, ten in Boston: the invitation is on Friday, 31 October.
SESSION = PrepSession("prep-1", "Prep", at("2025-11-07T15:00Z"), NEW_YORK, 60, "Online", "https://crm.example/1")
A_SECOND = timedelta(seconds=1)


def found(until: str, zone: str = NEW_YORK, *, after: str = "") -> list[tuple[str, bool]]:
    """Instant of each invitation, and whether it only goes along."""
    since = at(after) if after else at(until) - A_SECOND
    invitations = invitations_at([SESSION], zone, Cadence(), after=since, until=at(until))
    return [(f"{one.instant:%m-%dT%H:%MZ}", one.folds_only) for one in invitations]


def test_an_invitation_is_due_a_week_before_at_ten_on_the_readers_clock() -> None:
    assert found("2025-10-31T14:00Z") == [("10-31T14:00Z", False)]
    assert found("2025-10-31T14:00Z", after="2025-10-31T14:00Z") == []
    assert found("2025-10-31T02:00Z", SHANGHAI) == [("10-31T02:00Z", False)]


def test_earlier_on_its_day_it_only_goes_along_with_a_deadline_message() -> None:
    assert found("2025-10-31T13:59:59Z") == [("10-31T14:00Z", True)]
    assert found("2025-10-31T04:00:00Z") == [("10-31T14:00Z", True)]  # the readers' midnight
    assert found("2025-10-31T03:59:59Z") == []


def test_it_is_never_caught_up() -> None:
    assert found("2025-10-31T14:00:01Z") == []
    assert found("2025-11-07T15:00Z", after="2025-10-31T00:00Z") == []  # it has begun


def test_the_session_is_told_with_its_end() -> None:
    (one,) = invitations_at(
        [SESSION], NEW_YORK, Cadence(), after=at("2025-10-31T13:00Z"), until=at("2025-10-31T14:00Z")
    )
    assert (one.prep_session_id, one.starts, one.ends, one.offset) == (
        "prep-1",
        at("2025-11-07T15:00Z"),
        at("2025-11-07T16:00Z"),
        "7d",
    )


def test_the_next_deadline_of_each_group_is_the_earliest_one_that_is_ahead() -> None:
    cut_offs = {
        (one.entry_term, one.residency): f"{one.ends_at:%m-%d}"
        for one in next_cut_offs([*SPRING, *EARLY_FALL], at("2025-10-01T00:00Z"))
    }
    assert cut_offs["spring 2026", "international_outside_us"] == "11-02"
    assert cut_offs["spring 2026", "unknown"] == "11-02"
    assert cut_offs["spring 2026", "domestic"] == cut_offs["fall 2026", "unknown"] == "12-02"


def test_a_deadline_that_is_over_is_nobodys_next_one() -> None:
    ends = SPRING[2].ends_at()
    late = next_cut_offs(SPRING, ends)
    assert {(one.program, one.residency) for one in late} == {
        (PROGRAM, group) for group in ("domestic", "international_inside_us", "unknown")
    }
    assert len(next_cut_offs(SPRING, ends - A_SECOND)) == 4
