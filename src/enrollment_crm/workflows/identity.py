"""Identity: records that rules take for one person are merged where that is certain, else somebody is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from enrollment_crm.domain.identity import Judgement, MatchEffect, MatchRules, judge_pair
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.routing import Review
from enrollment_crm.domain.staff_actions import INTAKE, StaffAction
from enrollment_crm.storage.batches import wait_for_other_loaders
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.matching import (
    SAME_PERSON,
    Pair,
    decided_different,
    matching_pairs,
    people_to_match,
    records_to_judge,
)
from enrollment_crm.storage.merging import merged_records, unite_news
from enrollment_crm.storage.plans import planned_for_these_rows
from enrollment_crm.storage.reviews import AskedReview, open_reviews
from enrollment_crm.storage.unmerging import lock_people
from enrollment_crm.workflows.people import merge_records, order_of_merge

_PEOPLE_AT_ONCE = 5_000


@dataclass(frozen=True)
class Matched:
    """How many people rules looked at, and how many pairs they merged or asked about."""

    looked_at: int = 0
    merged: int = 0
    asked: int = 0


def match_people(engine: Engine, rules: MatchRules, *, now: datetime, dry_run: bool = False) -> Matched:
    """Apply the rules to everybody of whom something was said; what came to merged records reaches their person.

    Runs before people are routed, and looks at those who wait for it.
    """
    check_aware(now)
    with transaction(engine, dry_run=dry_run) as connection:
        _hand_over_news(connection, now)
    total, after = Matched(), 0
    while True:
        with transaction(engine, dry_run=dry_run) as connection, planned_for_these_rows(connection):
            ids = people_to_match(connection, after=after, limit=_PEOPLE_AT_ONCE)
            one = _match(connection, rules, ids, now) if ids else Matched()
        total = Matched(total.looked_at + one.looked_at, total.merged + one.merged, total.asked + one.asked)
        if len(ids) < _PEOPLE_AT_ONCE:
            return total
        after = ids[-1]


def _hand_over_news(connection: Connection, now: datetime) -> None:
    """Record by record, up to the person at the top: what came to one is news of the one that it was merged into."""
    if merged_records(connection):
        wait_for_other_loaders(connection)
    while news := merged_records(connection):
        for gone, stays in news.items():
            lock_people(connection, [gone, stays])
            unite_news(connection, gone=gone, stays=stays, at=now)


def _match(connection: Connection, rules: MatchRules, ids: Sequence[int], now: datetime) -> Matched:
    judged = _judge(connection, rules, ids)
    certain = [pair for pair, one in judged.items() if one.effect is MatchEffect.SAME]
    if certain:
        wait_for_other_loaders(connection)
    merged = sum(_merge(connection, pair, judged[pair].reason, now) for pair in certain)
    asked = [pair for pair, one in judged.items() if one.effect is MatchEffect.REVIEW]
    questions = [AskedReview(one, Review(SAME_PERSON, judged[one, other].reason), other) for one, other in asked]
    open_reviews(connection, questions, now=now)
    return Matched(len(ids), merged, len(asked))


def _judge(connection: Connection, rules: MatchRules, ids: Sequence[int]) -> dict[Pair, Judgement]:
    """What follows for each pair, by the first rule that it fulfils; what staff took apart stays apart."""
    found = {}
    for rule in reversed(rules.rules):
        found.update(dict.fromkeys(matching_pairs(connection, rule, ids), rule))
    apart = decided_different(connection, list(found)) if found else set()
    records = records_to_judge(connection, [one for pair in found for one in pair])
    return {
        (one, other): judge_pair(rule, records[one], records[other], rules.contradicted_by)
        for (one, other), rule in sorted(found.items())
        if (one, other) not in apart
    }


def _merge(connection: Connection, pair: Pair, reason: str, now: datetime) -> bool:
    """Merge two records for certain. The older one stays, unless its address is dead and the newer one's is not."""
    lock_people(connection, pair)
    order = order_of_merge(connection, pair)
    if order is None:  # a third record had both, and one of them is gone by now
        return False
    gone, stays = order
    merge_records(connection, gone=gone, stays=stays, action=StaffAction(INTAKE, reason, now))
    return True
