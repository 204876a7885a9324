"""The configuration that ships: it loads, and says what the program page and the tables of the world say."""

from collections import defaultdict
from datetime import date, time
from importlib.resources import files

import pytest

from enrollment_crm.bootstrap import country_zones_of, programs_of
from enrollment_crm.domain.deadlines import Round
from enrollment_crm.domain.points import Anchor
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.residency import STATED_GROUPS, Residency
from enrollment_crm.domain.terms import EntryTerm, Season
from enrollment_crm.settings import Settings

DOMESTIC, INSIDE, OUTSIDE = STATED_GROUPS
EARLY, FINAL = Round

#: What the program page states: season, round, group, month, day, and the year as a distance from the term's.
STATED_DATES = [
    (Season.FALL, EARLY, DOMESTIC, 12, 1, -1),
    (Season.FALL, EARLY, INSIDE, 12, 1, -1),
    (Season.FALL, EARLY, OUTSIDE, 12, 1, -1),
    (Season.FALL, FINAL, OUTSIDE, 6, 1, 0),
    (Season.FALL, FINAL, INSIDE, 7, 1, 0),
    (Season.FALL, FINAL, DOMESTIC, 8, 1, 0),
    (Season.SPRING, FINAL, OUTSIDE, 11, 1, -1),
    (Season.SPRING, FINAL, INSIDE, 12, 1, -1),
    (Season.SPRING, FINAL, DOMESTIC, 12, 1, -1),
]
#: Countries with several zones that have a primary one (CLDR, primaryZones).
PRIMARY_ZONES = {
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "MH": "Pacific/Majuro",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
    "UZ": "Asia/Tashkent",
}


@pytest.fixture(scope="module")
def program() -> Program:
    return programs_of(Settings())["ms-advanced-intelligent-manufacturing"]


def test_the_dates_are_those_of_the_program_page(program: Program) -> None:
    terms = {one.group.entry_term for one in program.deadlines}
    expected = {
        (term, a_round, group): date(term.year + years, month, day)
        for term in terms
        for season, a_round, group, month, day, years in STATED_DATES
        if term.season is season
    }
    stated = {
        (one.group.entry_term, one.group.round, one.group.residency): one.stated_date for one in program.deadlines
    }
    assert stated == expected
    assert len(stated) == len(program.deadlines)


def test_the_terms_of_the_coming_years_are_there(program: Program) -> None:
    wanted = {EntryTerm.parse(text) for text in ("fall 2026", "spring 2027", "fall 2027", "spring 2028")}
    assert wanted <= {one.group.entry_term for one in program.deadlines}


def test_the_cadence_is_r3s(program: Program) -> None:
    cadence = program.cadence
    assert (cadence.offsets_in_days, cadence.hour, cadence.anchor) == ((30, 14, 7, 1), time(10), Anchor.STATED_DATE)


def test_every_group_has_an_owner_of_its_own(program: Program) -> None:
    owners = {residency: owner.key for residency, owner in program.counselors.items()}
    assert set(owners) == set(Residency)
    assert len(set(owners.values())) == len(owners)


def test_the_sessions_are_fridays_of_2025_on_new_yorks_clock(program: Program) -> None:
    local = [(f"{one.local_start:%a %Y-%m-%d %H:%M %Z}", one.minutes) for one in program.prep_sessions]
    assert local == [
        ("Fri 2025-11-07 10:00 EST", 60),
        ("Fri 2025-11-21 12:00 EST", 60),
        ("Fri 2025-12-05 10:00 EST", 60),
    ]


def test_r4_the_zones_of_countries_are_the_single_ones_of_tzdata_and_the_primary_ones_of_cldr() -> None:
    zones = defaultdict(list)
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[country].append(zone)
    single = {country: names[0] for country, names in zones.items() if len(names) == 1}
    assert len(single) > 200
    assert country_zones_of(Settings()) == single | PRIMARY_ZONES
