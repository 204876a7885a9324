"""What is newest by the source's clock holds, in whatever order it arrives."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_crm.domain.person_facts import FACT_FIELDS, Said, birth_date_of, facts_of, newest_facts

MONDAY = datetime(2026, 9, 7, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)

SAID = st.builds(
    Said,
    value=st.sampled_from(("Ana", "Anna", "Asia/Shanghai", "Europe/Paris", "No/Where", "US")),
    said_at=st.integers(0, 3).map(lambda days: MONDAY + A_DAY * days),
    source=st.sampled_from(("form", "slate", "webadmit")),
    received_at=st.integers(3, 6).map(lambda days: MONDAY + A_DAY * days),
)
ROWS = st.lists(st.dictionaries(st.sampled_from(FACT_FIELDS), SAID), max_size=6)


@given(ROWS, st.data())
def test_any_order_of_arrival_gives_the_same_record(rows: list[dict[str, Said]], data: st.DataObject) -> None:
    """One by one, as they come, some of them twice."""
    order: Sequence[dict[str, Said]] = data.draw(st.permutations(rows + rows[:2]))
    empty: dict[str, Said] = {}
    assert reduce(newest_facts, order, empty) == newest_facts(*rows)


def test_an_older_export_that_arrives_later_changes_nothing() -> None:
    new = facts_of({"last_name": "Silva-Lopes"}, source="slate", said_at=MONDAY + A_DAY, received_at=MONDAY + A_DAY * 2)
    old = facts_of({"last_name": "Silva"}, source="slate", said_at=MONDAY, received_at=MONDAY + A_DAY * 3)
    assert newest_facts(new, old) == new


def test_what_a_source_corrects_without_moving_its_clock_holds() -> None:
    """Slate's clock is the day of submission: a name that is corrected afterwards has the same one."""
    wrong = facts_of({"last_name": "Silvva"}, source="slate", said_at=MONDAY, received_at=MONDAY)
    right = facts_of({"last_name": "Silva"}, source="slate", said_at=MONDAY, received_at=MONDAY + A_DAY)
    assert newest_facts(wrong, right) == newest_facts(right, wrong) == right


def test_each_field_has_a_clock_of_its_own_and_a_blank_erases_nothing() -> None:
    old = facts_of({"first_name": "Ana", "phone": "617"}, source="form", said_at=MONDAY, received_at=MONDAY)
    new = facts_of(
        {"first_name": None, "phone": "857"}, source="slate", said_at=MONDAY + A_DAY, received_at=MONDAY + A_DAY
    )
    assert {name: one.value for name, one in newest_facts(old, new).items()} == {"first_name": "Ana", "phone": "857"}


def test_both_clocks_are_kept_and_a_clock_that_runs_ahead_counts_as_its_arrival() -> None:
    fact = facts_of({"phone": "617"}, source="slate", said_at=MONDAY - A_DAY, received_at=MONDAY)["phone"]
    assert (fact.said_at, fact.received_at) == (MONDAY - A_DAY, MONDAY)
    ahead = facts_of({"phone": "617"}, source="slate", said_at=MONDAY + A_DAY * 900, received_at=MONDAY)["phone"]
    assert ahead.said_at == MONDAY


def test_r4_a_zone_that_does_not_exist_gives_way_to_any_other() -> None:
    zone = facts_of({"time_zone": "Asia/Shanghai"}, source="form", said_at=MONDAY, received_at=MONDAY)
    none = facts_of({"time_zone": "No/Where"}, source="form", said_at=MONDAY + A_DAY, received_at=MONDAY + A_DAY)
    assert newest_facts(zone, none) == newest_facts(none, zone) == zone


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1999-04-05", date(1999, 4, 5)),
        ("1899-12-31", None),
        ("2026-09-08", None),
        ("36255", None),
        ("", None),
        (None, None),
    ],
)
def test_a_day_of_birth(text: str | None, day: date | None) -> None:
    assert birth_date_of(text, received_at=MONDAY) == day
