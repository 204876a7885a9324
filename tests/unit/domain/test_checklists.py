from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from enrollment_crm.domain.canonical_rows import UnvalidatedRowError
from enrollment_crm.domain.checklists import (
    ChecklistItem,
    ItemState,
    ItemStatus,
    RequiredOf,
    checklist_report_of,
    newer_state,
)
from enrollment_crm.domain.residency import Residency

AWAITING, RECEIVED, WAIVED, NOT_REQUIRED = ItemStatus
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROW = {
    "application_source": "slate",
    "application_id": "a-1",
    "item": "transcript",
    "code": "TRAN",
    "status": "awaiting",
}


def state(status: ItemStatus, *, occurred: datetime | None, received: datetime = NOON) -> ItemState:
    return ItemState(status, occurred, received)


@pytest.mark.parametrize(
    ("states", "holds"),
    [
        ([state(AWAITING, occurred=NOON), state(RECEIVED, occurred=NOON + DAY)], RECEIVED),
        # Taken back by the office: the later word holds.
        ([state(RECEIVED, occurred=NOON), state(AWAITING, occurred=NOON + DAY)], AWAITING),
        # Many systems date what they have received, and nothing else.
        ([state(RECEIVED, occurred=NOON - DAY), state(AWAITING, occurred=None, received=NOON + DAY)], RECEIVED),
        ([state(AWAITING, occurred=None), state(WAIVED, occurred=None, received=NOON + DAY)], WAIVED),
        # At one instant: better to say nothing than to speak of what is there.
        ([state(AWAITING, occurred=NOON), state(NOT_REQUIRED, occurred=NOON)], NOT_REQUIRED),
        ([state(AWAITING, occurred=None), state(RECEIVED, occurred=None)], RECEIVED),
    ],
)
def test_the_newest_by_the_sources_clock_holds_in_whatever_order(states: list[ItemState], holds: ItemStatus) -> None:
    for order in permutations(states):
        known: ItemState | None = None
        for one in order:
            known = newer_state(known, one)
        assert known is not None
        assert known.status is holds


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        state(AWAITING, occurred=datetime(2026, 11, 20))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="zone"):
        state(AWAITING, occurred=None, received=datetime(2026, 11, 20))  # noqa: DTZ001 - that is the point


def test_a_report_names_its_application_and_has_its_own_clock_only_where_the_source_says_it() -> None:
    report = checklist_report_of(ROW, source="slate_checklist", received_at=NOON)
    assert (report.application_source, report.application_reference) == ("slate", "a-1")
    assert (report.item, report.code, report.name) == (ChecklistItem.TRANSCRIPT, "TRAN", "TRAN")
    assert report.state == ItemState(AWAITING, None, NOON)
    dated = {**ROW, "occurred_at": "2026-11-19T12:00:00+00:00", "item_reference": "i-7"}
    report = checklist_report_of(dated, source="slate_checklist", received_at=NOON)
    assert (report.state.occurred_at, report.name) == (NOON - DAY, "i-7")


def test_a_code_without_a_meaning_is_kept() -> None:
    report = checklist_report_of({**ROW, "item": "HAIKU", "code": "HAIKU"}, source="x", received_at=NOON)
    assert (report.item, report.code) == (None, "HAIKU")


@pytest.mark.parametrize("changed", [{"status": "Lost"}, {"status": None}, {"item": None}, {"application_id": None}])
def test_what_validation_would_refuse_is_refused(changed: dict[str, str | None]) -> None:
    with pytest.raises(UnvalidatedRowError):
        checklist_report_of({**ROW, **changed}, source="x", received_at=NOON)


@pytest.mark.parametrize("residency", Residency)
def test_international_is_everybody_but_domestic_applicants(residency: Residency) -> None:
    assert RequiredOf.ALL.includes(residency)
    assert RequiredOf.INTERNATIONAL.includes(residency) is (residency is not Residency.DOMESTIC)
