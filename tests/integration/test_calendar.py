"""The calendar: dates of the configuration come into force once, and loading never moves one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from tests.factories import ANA, PROGRAM, SECOND, Office

from enrollment_crm.bootstrap import programs_of
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Program
from enrollment_crm.settings import Settings
from enrollment_crm.storage.deadlines import add_unconfirmed_deadlines, deadlines_in_force, end_deadlines
from enrollment_crm.storage.prep_sessions import cancelled_prep_sessions_after, prep_sessions_after, register
from enrollment_crm.workflows.deadlines import CalendarLoaded, load_calendar, load_prep_sessions

NOW = datetime(2025, 9, 1, tzinfo=UTC)


def announced(sessions: Iterable[PrepSession]) -> list[PrepSession]:
    """The sessions as they stand once they have been loaded."""
    return [replace(one, changed_at=NOW) for one in sessions]


@pytest.fixture(scope="module")
def programs() -> Mapping[str, Program]:
    return programs_of(Settings())


def test_every_date_and_session_comes_into_force_with_its_source(
    engine: Engine, programs: Mapping[str, Program]
) -> None:
    program = programs[PROGRAM]
    loaded = load_calendar(engine, programs, now=NOW)
    assert loaded == CalendarLoaded(len(program.deadlines), len(program.prep_sessions), ())
    with engine.connect() as connection:
        assert {(one.group, one.stated_date) for one in deadlines_in_force(connection)} == {
            (one.group, one.stated_date) for one in program.deadlines
        }
        assert prep_sessions_after(connection, NOW) == announced(program.prep_sessions)
        said = connection.execute(text("SELECT DISTINCT source, approved_by, approved_at, version FROM deadline"))
        assert [tuple(one) for one in said] == [(program.source, "configuration", NOW, 1)]


def test_loading_twice_adds_nothing(engine: Engine, programs: Mapping[str, Program]) -> None:
    load_calendar(engine, programs, now=NOW)
    assert load_calendar(engine, programs, now=NOW) == CalendarLoaded(0, 0, ())


def test_a_date_that_differs_from_the_file_is_told_and_not_moved(
    engine: Engine, programs: Mapping[str, Program]
) -> None:
    load_calendar(engine, programs, now=NOW)
    first, *others = programs[PROGRAM].deadlines
    edited = replace(programs[PROGRAM], deadlines=(replace(first, stated_date=date(2024, 12, 15)), *others))
    loaded = load_calendar(engine, {PROGRAM: edited}, now=NOW)
    assert loaded.deadlines == 0
    assert loaded.differing == (
        f"{PROGRAM}, fall 2025, early_action, domestic: 2024-12-01 is in force, the file says 2024-12-15",
    )
    with engine.connect() as connection:
        assert first.stated_date in {d.stated_date for d in deadlines_in_force(connection) if d.group == first.group}


def test_a_date_that_waits_or_was_cancelled_is_told_while_it_lies_ahead(
    engine: Engine, programs: Mapping[str, Program]
) -> None:
    *_, first, second = dates = programs[PROGRAM].deadlines
    with engine.begin() as connection:
        add_unconfirmed_deadlines(connection, [first], source="rollover")
    load_calendar(engine, programs, now=NOW)
    with engine.begin() as connection:
        end_deadlines(connection, [second.group], at=NOW)
    waits, cancelled = load_calendar(engine, programs, now=NOW).differing
    assert f"{first.group.residency.value}: waits to be confirmed, the file says {first.stated_date}" in waits
    assert f"{second.group.residency.value}: was cancelled, the file says {second.stated_date}" in cancelled
    assert load_calendar(engine, programs, now=max(one.ends_at() for one in dates)).differing == ()


def test_a_date_that_was_replaced_is_history(engine: Engine, programs: Mapping[str, Program]) -> None:
    load_calendar(engine, programs, now=NOW)
    with engine.begin() as connection:
        connection.execute(text("UPDATE deadline SET replaced_at = now() WHERE entry_term = 'fall 2027'"))
        assert "fall 2027" not in {str(one.group.entry_term) for one in deadlines_in_force(connection)}


def test_one_date_at_a_time_is_in_force_for_a_group(engine: Engine, programs: Mapping[str, Program]) -> None:
    load_calendar(engine, programs, now=NOW)
    again = (
        "INSERT INTO deadline (program, entry_term, round, residency, stated_date, version, source, approved_by, "
        "approved_at) SELECT program, entry_term, round, residency, stated_date, 2, source, approved_by, approved_at "
        "FROM deadline LIMIT 1"
    )
    with pytest.raises(IntegrityError, match="uq_deadline_in_force"), engine.begin() as connection:
        connection.execute(text(again))


def test_a_session_that_has_begun_or_was_cancelled_is_not_offered(
    engine: Engine, programs: Mapping[str, Program]
) -> None:
    sessions = announced(programs[PROGRAM].prep_sessions)
    assert load_prep_sessions(engine, sessions, now=NOW) == 3
    assert load_prep_sessions(engine, sessions, now=NOW) == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE prep_session SET cancelled_at = now() WHERE id = :id"), {"id": sessions[2].id})
        assert prep_sessions_after(connection, sessions[0].starts) == [sessions[1]]
        assert prep_sessions_after(connection, sessions[0].starts - SECOND) == [sessions[0], sessions[1]]
        # Those who registered are to hear of it, until it would have begun.
        (cancelled,) = cancelled_prep_sessions_after(connection, sessions[0].starts)
        assert replace(cancelled, cancelled_at=None) == sessions[2]
        assert cancelled_prep_sessions_after(connection, sessions[2].starts) == []


def test_registering_twice_is_once_and_never_for_what_has_begun(office: Office) -> None:
    person = office.sign_up(ANA)
    session = office.outbox.programs[PROGRAM].prep_sessions[0]
    with office.engine.begin() as connection:
        for at, registered in (
            (session.starts - SECOND, True),
            (session.starts - SECOND, True),
            (session.starts, False),
        ):
            assert register(connection, person_id=person, prep_session_id=session.id, at=at) is registered
        assert not register(connection, person_id=person, prep_session_id="unknown", at=NOW)
    assert office.query("SELECT count(*) FROM registration") == [1]
