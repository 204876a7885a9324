"""Forecast and explanation say what the sweeps then do, if nothing else happens."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, note
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from tests.rehearsed_cycles import END, EVENTFUL, Fact, Stage, cohorts, few, open_stage

from enrollment_crm.bootstrap import country_zones_of
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.settings import Settings
from enrollment_crm.storage.models import PersonRow
from enrollment_crm.storage.rehearsal import recorded_covers
from enrollment_crm.workflows.explanations import explain
from enrollment_crm.workflows.forecast import Forecast, forecast_by_cell, forecast_by_day
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.rehearsal import answer_and_sweep

KEY = ("program", "entry_term", "round", "stated_date", "prep_session_id", "offset", "catch_up")


@pytest.fixture(scope="module")
def stage(migrated_engine: Engine) -> Iterator[Stage]:
    with open_stage(migrated_engine, "forecasts") as one:
        yield one


@few(2)
@example(facts=EVENTFUL, pause=0, before=True)
@example(facts=EVENTFUL, pause=0, before=False)
@given(facts=cohorts(most_events=10), pause=st.integers(0, 14 * 24 * 4), before=st.booleans())
@pytest.mark.slow
def test_forecast_and_explanation_are_what_the_sweeps_then_do(
    stage: Stage, facts: list[Fact], pause: int, before: bool
) -> None:
    last, clock = max(fact["at"] for fact in facts), timedelta(minutes=15)
    rehearsal, parts = stage.rehearsal(facts)
    outbox, instants = parts.outbox, rehearsal.instants()
    now = last
    for instant in instants:
        if instant == last and before:
            # What happened has been taken in, and no sweep has looked at it yet.
            rehearsal.take_facts(instant)
            break
        rehearsal.live(instant)
        if instant >= last + pause * clock:
            now = instant
            break
    predicted, by_day, by_cell = _predict(stage, outbox, now)
    known = {one.key.id for one in _recorded(stage)}
    if before and now == last:
        answer_and_sweep(outbox, now)
    for instant in instants:
        rehearsal.live(instant)
    done = [one for one in _recorded(stage) if one.key.id not in known]
    note(f"as of {now}: {len(predicted)} keys ahead")
    assert predicted == sorted(_as_row(one) for one in done)
    assert by_day == _counts_by_day(done)
    assert by_cell == _counts_by_cell(stage, done)


def _predict(stage: Stage, outbox: Outbox, now: datetime) -> tuple[list[Any], Any, Any]:
    with stage.engine.connect() as connection:
        people = list(connection.execute(select(PersonRow.id)).scalars())
    zones = country_zones_of(Settings())
    rows = [
        (person, one.at, one.withheld or one.kind, cover.kind, *(str(getattr(cover, name)) for name in KEY))
        for person in people
        for one in explain(outbox, str(person), country_zones=zones, now=now, until=END).next_messages
        for cover in one.covers
    ]
    by_day = forecast_by_day(outbox, now=now, until=END)
    by_cell = forecast_by_cell(outbox, now=now, until=END)
    return sorted(rows), _by_day(by_day), _by_cell(by_cell)


def _recorded(stage: Stage) -> list[Any]:
    with stage.engine.connect() as connection:
        return recorded_covers(connection)


def _as_row(one: Any) -> tuple[Any, ...]:
    offset = one.key.offset
    key = (str(offset if name == "offset" else getattr(one.key, name)) for name in KEY)
    return (one.person_id, one.at, one.withheld or one.message_kind, one.kind, *key)


def _by_day(forecast: Forecast) -> dict[tuple[Any, ...], int]:
    counts: dict[tuple[Any, ...], int] = {
        (one.unit.day, one.unit.kind, None): one.sends for one in forecast.units if one.sends
    }
    for one in forecast.units:
        counts |= {(one.unit.day, one.unit.kind, reason): number for reason, number in one.withheld.items()}
    return counts


def _counts_by_day(done: list[Any]) -> Counter[tuple[Any, ...]]:
    messages = {
        (one.at.astimezone(ZoneInfo(HOME_ZONE)).date(), one.message_kind, None, one.message_id)
        for one in done
        if one.withheld is None
    }
    # Several keys of one person that one look withholds for one reason are one message that does not come; but an
    # answer, a notice and a session's reminder are each a message of their own.
    own = {"deadline_reminder", "session_invitation"}
    withheld = {
        (
            one.at.astimezone(ZoneInfo(HOME_ZONE)).date(),
            one.kind,
            one.withheld,
            (one.person_id, one.at) if one.kind in own else one.key.id,
        )
        for one in done
        if one.withheld is not None
    }
    return Counter(row[:3] for row in messages | withheld)


def _by_cell(forecast: Forecast) -> dict[tuple[Any, ...], int]:
    counts: Counter[tuple[Any, ...]] = Counter()
    for one in forecast.units:
        unit = one.unit
        if unit.kind not in {"deadline_reminder", "session_invitation"}:
            continue
        key = (unit.at, unit.zone, unit.residency, unit.kind, *(str(getattr(unit, name)) for name in KEY))
        counts[*key, None] += one.sends
        for reason, number in one.withheld.items():
            counts[*key, reason] += number
    return +counts


def _counts_by_cell(stage: Stage, done: list[Any]) -> Counter[tuple[Any, ...]]:
    with stage.engine.connect() as connection:
        rows = connection.execute(select(PersonRow.id, PersonRow.zone, PersonRow.residency))
        people = {row.id: (row.zone, row.residency) for row in rows}
    counts: Counter[tuple[Any, ...]] = Counter()
    for one in done:
        if one.kind in {"deadline_reminder", "session_invitation"}:
            zone, residency = people[one.person_id]
            whose = residency if one.kind == "deadline_reminder" else None
            counts[one.at, zone, whose, one.kind, *_as_row(one)[4:], one.withheld] += 1
    return counts
