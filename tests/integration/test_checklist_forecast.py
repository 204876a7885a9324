"""What applications still await is in the forecast and in explanations, as the sweeps then send it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.factories import ANA, BEN, DAY, HOUR, PROGRAM, T_14, Office, utc
from tests.integration.planned_calendar import live, recording

from enrollment_crm.bootstrap import country_zones_of
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.explanations import explain
from enrollment_crm.workflows.forecast import Forecast, forecast_by_cell, forecast_by_day

KIND = MessageKind.CHECKLIST_REMINDER.value
CAI, DAN = "cai@example.edu", "dan@example.edu"
#: Night in Boston, and afternoon in Shanghai, after an outage that swallowed a point.
NIGHT = utc("2026-11-18T06:00")
UNTIL = utc("2026-11-25T00:00")
#: A day before the points of 17 November, and the last sweep before them.
THERE = T_14 - DAY


@pytest.fixture
def applicants(office: Office) -> Office:
    """Four who have submitted and lack something: in two zones, of several groups, one of whom nothing reaches."""
    office = recording(office)
    rows = {
        ANA: {"YearTerm": "fall 2027", "CitizenshipStatus": "US Citizen", "Address1Country": "US"},
        BEN: {"YearTerm": "spring 2027", "CitizenshipStatus": "Non-Resident", "Address1Country": "CN"},
        CAI: {"YearTerm": "spring 2027"},
        DAN: {"YearTerm": "fall 2027", "CitizenshipStatus": "US Citizen", "Address1Country": "US"},
    }
    for number, (email, columns) in enumerate(rows.items()):
        office.report(email, at=THERE, aid=f"a-{number}", **columns)
        office.list_items({"AppID": f"a-{number}", "Code": "LOR1", "Status": "Awaiting"}, at=THERE)
    office.list_items({"AppID": "a-0", "Code": "TRAN", "Status": "Awaiting"}, at=THERE)
    office.change("UPDATE person SET complained_at = :at WHERE email = :dan", at=THERE, dan=DAN)
    office.sweep(T_14 - HOUR)
    return office


def happened(office: Office, since: datetime) -> list[Any]:
    return office.query(
        'SELECT c.person_id, c.recorded_at, p.zone, p.residency, c.entry_term, c.round, c."offset", c.catch_up, '
        "c.withheld FROM cover c JOIN person p ON p.id = c.person_id WHERE c.kind = :kind AND c.recorded_at >= :since",
        kind=KIND,
        since=since,
    )


def expected(forecast: Forecast, *names: str) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for one in forecast.units:
        if one.unit.kind == KIND:
            unit = tuple(getattr(one.unit, name) for name in names)
            counts += Counter(
                {(*unit, reason): number for reason, number in [(None, one.sends), *one.withheld.items()]}
            )
    return counts


def test_forecast_and_explanation_are_what_the_sweeps_then_do(applicants: Office) -> None:
    office, outbox, now = applicants, applicants.outbox, NIGHT
    by_day = expected(forecast_by_day(outbox, now=now, until=UNTIL), "day")
    cell = ("at", "zone", "residency", "entry_term", "round", "offset", "catch_up")
    by_cell = expected(forecast_by_cell(outbox, now=now, until=UNTIL), *cell)
    predicted = [
        (person, one.at, cover.entry_term, cover.round, cover.offset, cover.catch_up, one.withheld)
        for person in office.query("SELECT id FROM person")
        for one in explain(
            outbox, str(person), country_zones=country_zones_of(Settings()), now=now, until=UNTIL
        ).next_messages
        for cover in one.covers
        if one.kind == KIND
    ]
    live(office, now, UNTIL)
    done = happened(office, now)
    assert {row[7] for row in done} == {False, True}
    assert {row[8] for row in done} == {None, "complained", "collapsed"}
    assert by_cell == Counter(row[1:] for row in done)
    assert sorted(map(str, predicted)) == sorted(str((*row[:2], *row[4:])) for row in done)
    assert by_day.total() == len({(row[0], row[1], row[8]) for row in done})


def test_the_rule_and_the_version_of_the_date_are_told(applicants: Office) -> None:
    ana = str(applicants.person(ANA))
    zones = country_zones_of(Settings())
    seen = explain(applicants.outbox, ana, country_zones=zones, now=T_14 - HOUR, until=T_14 + DAY).next_messages
    (one,) = [message.covers[0] for message in seen if message.kind == KIND]
    assert (one.offset, one.deadline_version) == ("14d", 1)
    assert "R3" in one.rule
    assert "awaits" in one.rule


def test_a_program_that_is_switched_off_forecasts_none(applicants: Office) -> None:
    programs = {PROGRAM: replace(applicants.outbox.programs[PROGRAM], checklist_reminders=False)}
    seen = forecast_by_day(replace(applicants.outbox, programs=programs), now=T_14 - HOUR, until=UNTIL)
    assert KIND not in {one.unit.kind for one in seen.units}
