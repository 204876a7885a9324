"""What holds for every cycle: rehearsed by the real workflows, for random people, calendars and events."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine
from tests.rehearsed_cycles import (
    EVENTFUL,
    START,
    Fact,
    Stage,
    cohorts,
    cut_off,
    few,
    instants,
    open_stage,
    submissions,
    withholding_facts,
)

from enrollment_crm.workflows import cells

pytestmark = pytest.mark.slow

HALF_A_DAY = timedelta(hours=12)


@pytest.fixture(scope="module")
def stage(migrated_engine: Engine) -> Iterator[Stage]:
    with open_stage(migrated_engine, "cycles") as one:
        yield one


def covers_of(sends: Sequence[dict[str, Any]]) -> list[tuple[datetime, str, str, dict[str, Any]]]:
    """Instant, address, kind of message and key of everything that was sent."""
    return [
        (datetime.fromisoformat(one["at"]), one["email"], one["kind"], cover)
        for one in sends
        for cover in one["covers"]
    ]


@few(2)
@example(facts=EVENTFUL)
@given(facts=cohorts(most_events=8))
def test_no_reminder_at_or_after_its_cut_off_and_none_of_one_deadline_within_half_a_day(
    stage: Stage, facts: list[Fact]
) -> None:
    sends = stage.sends(facts)
    told: defaultdict[tuple[str, ...], list[datetime]] = defaultdict(list)
    for at, email, kind, cover in covers_of(sends):
        if kind == "deadline_reminder" and "date" in cover:
            assert at < cut_off(cover["date"])
            told[email, cover["program"], cover["entry_term"], cover["round"], cover["date"]].append(at)
    for key, instants_told in told.items():
        in_order = sorted(instants_told)
        apart = [later - earlier for earlier, later in pairwise(in_order)]
        assert all(gap >= HALF_A_DAY for gap in apart), (key, in_order)
    reminded = [(one["at"], one["email"]) for one in sends if one["kind"] == "deadline_reminder"]
    assert len(reminded) == len(set(reminded)), "deadlines of one instant are one message (R8)"


def subject_of(fact: Fact) -> str:
    """Whom or what a fact is about: facts about one subject keep their order, all others are free."""
    return str(fact.get("email") or (fact.get("entry_term"), fact.get("round")))


@few(1)
@given(facts=cohorts(most_events=8), at=st.lists(instants(), min_size=2, max_size=3), data=st.data())
def test_facts_of_one_instant_give_the_same_in_any_order(
    stage: Stage, facts: list[Fact], at: list[datetime], data: st.DataObject
) -> None:
    announced = [fact for fact in facts if fact["at"] == START]
    crowded = [{**fact, "at": at[place % len(at)]} for place, fact in enumerate(facts) if fact["at"] != START]
    shuffled = data.draw(st.permutations(crowded))
    waiting: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in crowded:
        waiting[subject_of(fact)].append(fact)
    reordered = [waiting[subject_of(fact)].pop(0) for fact in shuffled]
    assert stage.sends([*announced, *crowded]) == stage.sends([*announced, *reordered])


@few(1)
@example(facts=EVENTFUL)
@given(facts=cohorts(most_events=5))
def test_everything_run_three_times_side_by_side_changes_nothing(stage: Stage, facts: list[Fact]) -> None:
    once = stage.sends(facts)
    busy = {fact["at"] for fact in facts} | {datetime.fromisoformat(one["at"]) for one in once}
    again = [{"kind": "rerun", "at": at, "times": 3} for at in sorted(busy)]
    assert stage.sends([*facts, *again]) == once


@few(2)
@example(facts=EVENTFUL)
@given(facts=cohorts(most_events=8))
def test_turns_that_are_put_together_change_nothing(stage: Stage, facts: list[Fact]) -> None:
    one_by_one = stage.sends(facts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "MOST_TURNS_ONE_BY_ONE", 0)
        assert stage.sends(facts) == one_by_one


def known_by(sends: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    """Who was told of what. An invitation can go by itself, and later, where what it was folded into is withheld."""
    return {
        (email, json.dumps([cover, "" if "session" in cover else str(at)])) for at, email, _, cover in covers_of(sends)
    }


def after_all_of_theirs(added: Fact, facts: Sequence[Fact]) -> Fact:
    """A later signup would lift an unsubscription, and be a turn (R6)."""
    theirs = [fact["at"] for fact in facts if fact.get("email") == added["email"]]
    return {**added, "at": max([added["at"], *theirs])}


@few(2)
@given(facts=cohorts(most_events=5), added=st.one_of(withholding_facts, submissions))
def test_what_withholds_never_adds_a_send(stage: Stage, facts: list[Fact], added: Fact) -> None:
    more = [*facts, after_all_of_theirs(added, facts)]
    without = known_by(stage.sends(facts))
    answered = {"application_received"}
    if added["kind"] == "application":
        # Who has submitted for one term follows another deadline next: a session may be of help before that (R10).
        answered.add("session_invitation")
    then = stage.sends(more)
    assert known_by([one for one in then if one["kind"] not in answered]) <= without
