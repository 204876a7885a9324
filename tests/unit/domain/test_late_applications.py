"""R1: an application after the final cut-off is late, and never refused: a person decides."""

from datetime import datetime, timedelta

import pytest
from tests.unit.domain.calendars import EARLY_FALL, PROGRAM, SPRING, at, deadline

from enrollment_crm.domain.late_applications import SubmittedApplication, late_applications, moved_to_past
from enrollment_crm.domain.residency import STATED_GROUPS, Residency

A_MILLISECOND = timedelta(milliseconds=1)
FALL = [*EARLY_FALL, *(deadline("2026-08-01", one, term="fall 2026") for one in STATED_GROUPS)]


def late(
    occurred_at: datetime, residency: Residency, *, term: str = "spring 2026", program: str | None = PROGRAM
) -> bool:
    found = late_applications(
        [SubmittedApplication(program, term, occurred_at)],
        [*SPRING, *FALL],
        residency=residency,
        default_program=PROGRAM,
    )
    assert all(one.about == "late_application" and "case by case" in one.detail for one in found)
    return bool(found)


@pytest.mark.parametrize(
    ("residency", "cut_off"),
    [
        (Residency.INTERNATIONAL_OUTSIDE_US, "2025-11-02T04:00Z"),
        (Residency.INTERNATIONAL_INSIDE_US, "2025-12-02T05:00Z"),
        (Residency.DOMESTIC, "2025-12-02T05:00Z"),
        (Residency.UNKNOWN, "2025-12-02T05:00Z"),  # the latest of the three
    ],
)
def test_it_is_late_from_the_midnight_in_new_york_on(residency: Residency, cut_off: str) -> None:
    assert not late(at(cut_off) - A_MILLISECOND, residency)
    assert late(at(cut_off), residency)


def test_early_action_is_never_late() -> None:
    assert not late(at("2026-07-01T00:00Z"), Residency.DOMESTIC, term="fall 2026")


def test_without_a_program_the_default_programs_dates_count() -> None:
    assert late(at("2025-12-02T05:00Z"), Residency.DOMESTIC, program=None)
    assert not late(at("2025-12-02T05:00Z"), Residency.DOMESTIC, program="another")


def test_a_term_without_dates_has_no_cut_off() -> None:
    assert not late(at("2035-12-02T05:00Z"), Residency.DOMESTIC, term="spring 2031")


def test_an_answer_that_moves_to_a_date_that_is_past_is_a_question() -> None:
    ends = SPRING[2].ends_at()
    review = moved_to_past("spring 2026", SPRING[2], ends)
    assert review is not None
    assert review.detail == "an answer moved the final date for spring 2026 to 2025-11-01, which is past"
    assert moved_to_past("spring 2026", SPRING[2], ends - A_MILLISECOND) is None
    assert moved_to_past("fall 2026", EARLY_FALL[0], ends + timedelta(days=90)) is None
