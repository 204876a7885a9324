"""Residency: the table of evidence, row by row, and what happens when sources disagree."""

from datetime import UTC, datetime

import pytest

from enrollment_crm.domain.residency import (
    STAFF,
    STATED_GROUPS,
    Citizenship,
    Confidence,
    Residency,
    ResidencyEvidence,
    conclude_residency,
)

DOMESTIC, INSIDE, OUTSIDE, UNKNOWN = (
    Residency.DOMESTIC,
    Residency.INTERNATIONAL_INSIDE_US,
    Residency.INTERNATIONAL_OUTSIDE_US,
    Residency.UNKNOWN,
)
CITIZEN, PERMANENT, REFUGEE, TEMPORARY, NONE = Citizenship


def said(
    source: str = "form",
    day: int = 1,
    *,
    stated: Residency | None = None,
    citizenship: Citizenship | None = None,
    visa: bool | None = None,
    country: str | None = None,
) -> ResidencyEvidence:
    return ResidencyEvidence(
        source=source,
        said_at=datetime(2026, 10, day, tzinfo=UTC),
        stated=stated,
        citizenship=citizenship,
        holds_visa=visa,
        address_country=country,
    )


@pytest.mark.parametrize(
    ("citizenship", "visa", "country", "group"),
    [
        # citizen or national, dual, permanent resident, refugee or asylee: wherever they live
        (CITIZEN, None, None, DOMESTIC),
        (CITIZEN, False, "FR", DOMESTIC),
        (PERMANENT, None, "US", DOMESTIC),
        (REFUGEE, None, "US", DOMESTIC),
        # temporary resident or a visa held, and current address in the US
        (TEMPORARY, None, "US", INSIDE),
        (TEMPORARY, True, "US", INSIDE),
        (NONE, True, "US", INSIDE),
        (None, True, "US", INSIDE),
        # not US, and current address not in the US
        (NONE, None, "IN", OUTSIDE),
        (NONE, False, "CN", OUTSIDE),
    ],
)
def test_the_group_that_follows_from_the_evidence(
    citizenship: Citizenship | None, visa: bool | None, country: str | None, group: Residency
) -> None:
    conclusion = conclude_residency([said(citizenship=citizenship, visa=visa, country=country)])
    assert (conclusion.residency, conclusion.to_review) == (group, False)


@pytest.mark.parametrize(
    ("citizenship", "visa", "country", "why"),
    [
        (TEMPORARY, None, "IN", "temporary residence or visa but an address abroad"),
        (NONE, True, "IN", "temporary residence or visa but an address abroad"),
        (NONE, None, "US", "an address in the US but no visa"),
        (CITIZEN, True, "US", "says citizen but also a visa"),
        (NONE, None, None, "gives no current address"),
        (TEMPORARY, None, None, "gives no current address"),
        (None, None, None, "no source says anything"),
        (None, None, "US", "no source says anything"),  # living there says nothing of citizenship
        (None, False, "US", "leaves citizenship blank"),
    ],
)
def test_blank_or_contradictory_evidence_goes_to_a_person(
    citizenship: Citizenship | None, visa: bool | None, country: str | None, why: str
) -> None:
    conclusion = conclude_residency([said(citizenship=citizenship, visa=visa, country=country)])
    assert (conclusion.residency, conclusion.to_review) == (UNKNOWN, True)
    assert why in conclusion.reason


def test_nothing_said_goes_to_a_person() -> None:
    assert conclude_residency([]).to_review


@pytest.mark.parametrize("group", STATED_GROUPS)
def test_the_own_answer_decides_wherever_the_person_lives(group: Residency) -> None:
    for country in (None, "US", "IN"):
        assert conclude_residency([said(stated=group, country=country)]).residency is group


@pytest.mark.parametrize(
    ("stated", "citizenship"),
    [(OUTSIDE, CITIZEN), (INSIDE, PERMANENT), (DOMESTIC, TEMPORARY), (DOMESTIC, NONE)],
)
def test_an_own_answer_that_contradicts_the_citizenship_goes_to_a_person(
    stated: Residency, citizenship: Citizenship
) -> None:
    conclusion = conclude_residency([said(stated=stated, citizenship=citizenship)])
    assert (conclusion.residency, conclusion.to_review) == (UNKNOWN, True)
    assert f"says {stated.value} but also {citizenship.value}" in conclusion.reason


def test_not_sure_lets_the_citizenship_decide() -> None:
    assert conclude_residency([said(stated=UNKNOWN, citizenship=CITIZEN)]).residency is DOMESTIC


def test_r2_a_newer_answer_of_a_source_replaces_the_older_whatever_came_first() -> None:
    older, newer = said(day=1, stated=OUTSIDE), said(day=2, stated=INSIDE)
    for order in ([older, newer], [newer, older]):
        assert conclude_residency(order).residency is INSIDE


def test_r2_what_is_left_blank_erases_nothing() -> None:
    again = [said(day=1, stated=DOMESTIC), said(day=2, country="US"), said(day=3)]
    assert conclude_residency(again).residency is DOMESTIC


def test_r2_an_answer_in_parts_is_one_answer() -> None:
    in_parts = [said("slate", 1, citizenship=NONE), said("slate", 2, country="IN")]
    assert conclude_residency(in_parts).residency is OUTSIDE


def test_sources_that_agree_agree() -> None:
    both = [said("form", stated=OUTSIDE), said("slate", citizenship=NONE, country="IN")]
    assert conclude_residency(both).residency is OUTSIDE
    assert not conclude_residency(both).to_review


def test_sources_that_contradict_each_other_go_to_a_person_who_reads_what_each_says() -> None:
    both = [said("form", stated=OUTSIDE), said("slate", citizenship=CITIZEN)]
    conclusion = conclude_residency(both)
    assert (conclusion.residency, conclusion.to_review) == (UNKNOWN, True)
    assert "form says international_outside_us" in conclusion.reason
    assert "slate says domestic" in conclusion.reason


def test_a_source_that_says_nothing_contradicts_nobody() -> None:
    assert conclude_residency([said("form", stated=INSIDE), said("slate")]).residency is INSIDE
    assert conclude_residency([said("form", stated=INSIDE), said("slate", country="IN")]).residency is INSIDE


def test_a_contradiction_within_one_source_is_not_outvoted() -> None:
    both = [said("form", stated=DOMESTIC), said("slate", citizenship=CITIZEN, visa=True)]
    assert conclude_residency(both).to_review


@pytest.mark.parametrize(
    ("stated", "country"), [(OUTSIDE, "US"), (INSIDE, "IN")], ids=["outside, lives inside", "inside, lives outside"]
)
def test_an_own_answer_that_the_own_address_contradicts_is_taken_and_looked_at(stated: Residency, country: str) -> None:
    conclusion = conclude_residency([said(stated=stated, country=country)])
    assert (conclusion.residency, conclusion.to_review) == (stated, True)
    assert conclusion.confidence is Confidence.CONTESTED
    assert f"an address in {country}" in conclusion.reason


def test_a_domestic_answer_with_a_visa_goes_to_a_person() -> None:
    conclusion = conclude_residency([said(stated=DOMESTIC, visa=True)])
    assert (conclusion.residency, conclusion.to_review) == (UNKNOWN, True)


def test_a_citizen_lives_where_they_like() -> None:
    assert not conclude_residency([said(stated=DOMESTIC, country="FR")]).to_review


@pytest.mark.parametrize(
    ("evidence", "confidence"),
    [
        ([said(stated=OUTSIDE)], Confidence.STATED),
        ([said(stated=OUTSIDE, citizenship=NONE)], Confidence.DOCUMENTED),
        ([said("slate", citizenship=NONE, country="IN")], Confidence.DOCUMENTED),
        ([said(stated=OUTSIDE), said("slate", citizenship=NONE, country="IN")], Confidence.CORROBORATED),
        ([said(stated=OUTSIDE), said("slate", citizenship=CITIZEN)], Confidence.NONE),
        ([said(stated=OUTSIDE), said(STAFF, 2, stated=INSIDE)], Confidence.DECIDED),
        ([], Confidence.NONE),
    ],
)
def test_how_firmly_a_conclusion_stands(evidence: list[ResidencyEvidence], confidence: Confidence) -> None:
    assert conclude_residency(evidence).confidence is confidence


def test_what_a_person_decides_settles_everything_that_was_said_before() -> None:
    sources = [
        said("form", stated=OUTSIDE),
        said("slate", citizenship=CITIZEN),
        said("cas", citizenship=CITIZEN, visa=True),
    ]
    conclusion = conclude_residency([*sources, said(STAFF, 2, stated=INSIDE)])
    assert (conclusion.residency, conclusion.to_review) == (INSIDE, False)


def test_the_same_answer_in_a_newer_export_is_no_newer_evidence() -> None:
    evidence = [
        said("slate", 1, citizenship=CITIZEN),
        said(STAFF, 2, stated=OUTSIDE),
        said("slate", 3, citizenship=CITIZEN),
    ]
    assert conclude_residency(evidence).residency is OUTSIDE


def test_newer_evidence_that_contradicts_a_decision_goes_to_a_person_again() -> None:
    evidence = [
        said("slate", 1, citizenship=CITIZEN),
        said(STAFF, 2, stated=DOMESTIC),
        said("slate", 3, citizenship=NONE, country="IN"),
    ]
    conclusion = conclude_residency(evidence)
    assert (conclusion.residency, conclusion.to_review) == (UNKNOWN, True)
    assert "staff says domestic" in conclusion.reason


def test_newer_evidence_that_agrees_makes_no_question() -> None:
    evidence = [said(STAFF, 2, stated=DOMESTIC), said("slate", 3, citizenship=CITIZEN)]
    conclusion = conclude_residency(evidence)
    assert (conclusion.residency, conclusion.to_review) == (DOMESTIC, False)
    assert conclusion.confidence is Confidence.CORROBORATED


def test_what_was_said_before_a_decision_and_arrives_after_it_is_settled_too() -> None:
    evidence = [said(STAFF, 2, stated=DOMESTIC), said("slate", 1, citizenship=NONE, country="IN")]
    assert conclude_residency(evidence).residency is DOMESTIC


def test_a_person_can_decide_that_it_cannot_be_told() -> None:
    conclusion = conclude_residency([said(stated=DOMESTIC, visa=True), said(STAFF, 2, stated=UNKNOWN)])
    assert (conclusion.residency, conclusion.to_review) == (UNKNOWN, False)
