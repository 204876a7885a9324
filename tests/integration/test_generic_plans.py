"""Plans that PostgreSQL keeps for all values: what workers ask again and again uses the index that was made for it.

psycopg prepares what is asked often. Where a value is a parameter, a plan for any value cannot use an index of some
rows ("outcome = 'pending'"): it scans the whole table, and nobody sees that before a table is large.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.dialects import postgresql
from tests.factories import SEPTEMBER, Office

from enrollment_crm.domain.identity import MatchEffect, MatchField, MatchRule
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.storage.batch_decisions import untold_stops
from enrollment_crm.storage.batches import next_batch_to_load
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.inbox import count_pending, pending_rows
from enrollment_crm.storage.matching import matching_pairs
from enrollment_crm.storage.pacing import seconds_to_next_turn
from enrollment_crm.storage.plans import planned_for_these_rows
from enrollment_crm.storage.unfinished import count_unfinished, count_unsettled, reclaim_vanished

_SAME_PHONE = MatchRule(
    "same_phone", (MatchField.FIRST_NAME, MatchField.LAST_NAME, MatchField.PHONE), MatchEffect.REVIEW
)
#: Without them an inbox is read as quickly by its key.
_SETTLED_ROWS = """
    INSERT INTO inbox (source, kind, received_at, raw, digest, outcome)
    SELECT 'request_info', 'signup', now(), '{}', number::text, 'accepted' FROM generate_series(1, 1000) AS number
"""
_KIND = MessageKind.DEADLINE_REMINDER
_NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda connection: pending_rows(connection, kind="signup", limit=10), "ix_inbox_pending"),
        (lambda connection: count_pending(connection, kind="signup"), "ix_inbox_pending"),
        (lambda connection: next_batch_to_load(connection, kind="signup"), "ix_batch_to_load"),
        (untold_stops, "ix_batch_stopped"),
        (lambda connection: matching_pairs(connection, _SAME_PHONE, [1, 2]), "ix_person_phone"),
        (count_unfinished, "ix_message_unfinished"),
        (count_unsettled, "ix_message_unfinished"),
        (
            lambda connection: reclaim_vanished(connection, _KIND, limit=10, lease=timedelta(minutes=5)),
            "ix_message_unfinished",
        ),
        (lambda connection: seconds_to_next_turn(connection, _KIND, outcome="paced"), "ix_message_unfinished"),
    ],
)
def test_a_plan_for_any_value_uses_the_index_of_the_rows_in_question(
    engine: Engine, ask: Callable[[Connection], object], index: str
) -> None:
    with engine.begin() as connection:
        connection.execute(text(_SETTLED_ROWS))
        connection.execute(text("ANALYZE inbox"))
        assert any(index in _generic_plan(connection, statement) for statement in _statements_of(connection, ask))


def test_an_import_is_planned_for_its_rows_however_often_it_was_asked_before(office: Office) -> None:
    """Plans of the first small batches are not those of the first large one: none is kept."""
    office.engine.dispose()
    for number in range(12):
        office.fill_in(f"somebody{number}@example.edu", at=SEPTEMBER)
        office.load(now=SEPTEMBER)
    kept = "SELECT count(*)::int FROM pg_prepared_statements WHERE statement ~ :words"
    assert office.query(kept, words="INTO inbox") == [1]
    assert office.query(kept, words="INTO person|person_reference|needs_routing.*FOR UPDATE") == [0]


def test_only_an_import_keeps_no_plans_and_foreign_keys_are_checked_by_one(office: Office) -> None:
    with transaction(office.engine) as connection:
        driver: Any = connection.connection.driver_connection
        threshold = driver.prepare_threshold
        with planned_for_these_rows(connection):
            assert driver.prepare_threshold is None
            # Else a plan is made for every row that names a person: half of the time of an import.
            assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "auto"
        assert driver.prepare_threshold == threshold


def _statements_of(connection: Connection, ask: Callable[[Connection], object]) -> list[str]:
    """What is asked, with $1, $2 ... in the place of its parameters."""
    asked: list[str] = []

    def keep(_: Connection, statement: Any, *_rest: object) -> None:
        asked.append(str(statement.compile(dialect=_NUMBERED, compile_kwargs={"render_postcompile": True})))

    event.listen(connection, "before_execute", keep)
    ask(connection)
    event.remove(connection, "before_execute", keep)
    return asked


def _generic_plan(connection: Connection, statement: str) -> str:
    # Tables of tests are small: without this a scan is the cheapest way in any case.
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {statement}").scalars())
