"""How far a batch is from the ones before it, from counts that name nobody."""

from datetime import timedelta

import pytest
from tests.factories import T_7

from enrollment_crm.domain.batch_profiles import BatchProfile, measures_known, measures_of, profile_of
from enrollment_crm.domain.canonical_rows import RecordKind

FALL, SPRING = {"entry_term": "fall 2027"}, {"entry_term": "spring 2027"}
MEASURES = ("distance.entry_term", "blank_share.residency", "blank_share_change.residency", "newest_row_age_in_hours")


def profile(*rows: dict[str, str], rejected: int = 0) -> BatchProfile:
    return profile_of(RecordKind.SIGNUP, rows, measures=MEASURES, rejected=rejected)


def measured(now: BatchProfile, past: list[BatchProfile], volumes: tuple[int, ...] = ()) -> dict[str, float]:
    return measures_of(now, past, volume=now.rows, volumes=volumes, now=T_7)


def test_what_is_kept_of_a_batch_names_nobody() -> None:
    canary = "Xerxes Canary"
    kept = profile({"entry_term": canary, "residency": canary}, FALL, {"residency": "domestic"}).as_json()
    assert kept["values"] == {"entry_term": {"(blank)": 1, "(other)": 1, "fall 2027": 1}}
    assert kept["blank"] == {"residency": 1}
    assert "Xerxes" not in str(kept)
    assert BatchProfile.from_json(kept).rows == 3


def test_a_distance_is_none_for_the_same_shares_and_one_for_nothing_in_common() -> None:
    past = [profile(FALL, SPRING) for _ in range(5)]
    assert measured(profile(*[FALL] * 50, *[SPRING] * 50), past)["distance.entry_term"] == 0
    assert measured(profile(FALL, FALL), past)["distance.entry_term"] == pytest.approx(0.5)
    assert measured(profile({"entry_term": "fall 2030"}), past)["distance.entry_term"] == 1


def test_blanks_are_compared_with_what_was_usual() -> None:
    said = {"residency": "domestic"}
    past = [profile(said, said, said, FALL) for _ in range(5)]
    found = measured(profile(said, FALL), past)
    assert (found["blank_share.residency"], found["blank_share_change.residency"]) == (0.5, 0.25)


def test_what_needs_a_past_is_not_measured_before_there_is_one() -> None:
    found = measured(profile(FALL), [profile(SPRING)] * 4, volumes=(1, 1, 1, 1))
    assert set(found) == {"rows", "rejected_share", "blank_share.residency"}


def test_volume_is_measured_against_the_median_of_the_runs_before() -> None:
    found = measured(profile(*[FALL] * 40), [], volumes=(10, 20, 20, 20, 4000))
    assert found["rows_against_usual"] == 2


def test_the_age_is_that_of_the_newest_row_by_the_source_s_clock() -> None:
    at = [{"occurred_at": (T_7 - timedelta(hours=hours)).isoformat()} for hours in (50, 5, 30)]
    assert measured(profile(*at, {"occurred_at": "yesterday"}, {}), [])["newest_row_age_in_hours"] == 5


def test_every_kind_has_measures_that_rules_can_ask_for() -> None:
    for kind in RecordKind:
        assert {"rows", "rows_against_usual", "rejected_share", "newest_row_age_in_hours"} <= set(measures_known(kind))
    assert "distance.item" in measures_known(RecordKind.CHECKLIST)
    assert "distance.email" not in measures_known(RecordKind.SIGNUP)
