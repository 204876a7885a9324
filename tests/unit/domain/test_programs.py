"""Programs: the dates that follow from their patterns, and the cadence of each."""

from datetime import date
from types import MappingProxyType

import pytest

from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.points import Cadence
from enrollment_crm.domain.programs import Cadences, DatePattern, Program
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm, Season

EARLY = DatePattern(Season.FALL, Round.EARLY_ACTION, tuple(STATED_GROUPS), 12, 1, in_previous_year=True)
FINAL = DatePattern(Season.FALL, Round.FINAL, (Residency.DOMESTIC,), 8, 1, in_previous_year=False)
LEAP_DAY = DatePattern(Season.SPRING, Round.FINAL, (Residency.DOMESTIC,), 2, 29, in_previous_year=False)


def program(key: str = "ms-test", cadence: Cadence | None = None) -> Program:
    url = "https://crm.example"
    return Program(
        key=key,
        name="MS Test",
        url=url,
        request_info_url=url,
        apply_url=url,
        source=url,
        counselors=MappingProxyType({}),
        deadlines=(),
        prep_sessions=(),
        cadence=cadence or Cadence(),
        date_patterns=(EARLY, FINAL, LEAP_DAY),
        cut_off_zone="America/Chicago",
    )


def test_a_term_has_the_dates_of_the_patterns_of_its_season() -> None:
    found = program().deadlines_for(EntryTerm.parse("fall 2030"))
    assert {(one.group.round, one.stated_date) for one in found} == {
        (Round.EARLY_ACTION, date(2029, 12, 1)),
        (Round.FINAL, date(2030, 8, 1)),
    }
    assert len(found) == 4
    assert {one.cut_off_zone for one in found} == {"America/Chicago"}


def test_a_day_that_does_not_exist_in_the_year_says_so() -> None:
    (leap,) = program().deadlines_for(EntryTerm.parse("spring 2028"))
    assert leap.stated_date == date(2028, 2, 29)
    with pytest.raises(ValueError, match="2-29 does not exist in 2027: choose another day for spring 2027"):
        program().deadlines_for(EntryTerm.parse("spring 2027"))


def test_each_program_has_its_cadence_and_an_unknown_one_the_default_programs() -> None:
    often = Cadence(offsets_in_days=(3, 2, 1))
    cadences = Cadences({"ms-a": program("ms-a"), "ms-b": program("ms-b", often)}, "ms-a")
    assert cadences.of("ms-b") == often
    assert cadences.of("unknown") == cadences.default == Cadence()
    assert cadences.every() == {Cadence(), often}
