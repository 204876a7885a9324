"""Routing: group, owner and reason; and what only a person can decide."""

from datetime import UTC, datetime

import pytest

from enrollment_crm.domain.programs import Counselor
from enrollment_crm.domain.residency import STATED_GROUPS, Residency, ResidencyEvidence
from enrollment_crm.domain.routing import Review, route_person, unmapped_values
from enrollment_crm.domain.terms import EntryTerm

COUNSELORS = {group: Counselor(f"{group.value}-desk", "A Name", f"{group.value}@crm.example") for group in Residency}
FALL_2027 = EntryTerm.parse("fall 2027")


def stated(group: Residency) -> ResidencyEvidence:
    return ResidencyEvidence(source="form", said_at=datetime(2026, 11, 1, tzinfo=UTC), stated=group)


@pytest.mark.parametrize("group", STATED_GROUPS)
def test_each_group_has_its_owner(group: Residency) -> None:
    route = route_person([stated(group)], entry_terms=[FALL_2027], counselors=COUNSELORS)
    assert (route.residency, route.owner, route.reviews) == (group, f"{group.value}-desk", ())
    assert route.reason == f"fall 2027; form: own answer {group.value}"


def test_unknown_residency_has_an_owner_too_and_is_reviewed() -> None:
    route = route_person([], entry_terms=[FALL_2027], counselors=COUNSELORS)
    assert (route.residency, route.owner) == (Residency.UNKNOWN, "unknown-desk")
    assert route.reviews == (Review("residency", "no source says anything about residency"),)


@pytest.mark.parametrize("terms", [[], [None]])
def test_a_missing_term_is_no_review_the_welcome_asks_for_it(terms: list[EntryTerm | None]) -> None:
    route = route_person([stated(Residency.DOMESTIC)], entry_terms=terms, counselors=COUNSELORS)
    assert route.reviews == ()
    assert route.reason.startswith("entry term not known yet; ")


def test_the_reason_names_every_term() -> None:
    terms = [FALL_2027, None, EntryTerm.parse("spring 2028")]
    route = route_person([stated(Residency.DOMESTIC)], entry_terms=terms, counselors=COUNSELORS)
    assert route.reason.startswith("fall 2027, spring 2028; ")


def test_values_without_a_meaning_are_one_review_that_names_them_all() -> None:
    (review,) = unmapped_values("slate", {"citizenship": "Deferred Action", "holds_visa": "Z-9"})
    assert review.about == "unmapped_value"
    assert review.detail == (
        "slate says 'Deferred Action' as citizenship; 'Z-9' as holds_visa: give it a meaning in the value map"
    )
    assert unmapped_values("slate", {}) == []
