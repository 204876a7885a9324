"""Reviews: what only a person can decide, asked in sets and each question once."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, DateTime, FromClause, Text, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.routing import Review
from enrollment_crm.storage.copying import staged
from enrollment_crm.storage.models import ReviewRow
from enrollment_crm.storage.relations import Columns

#: What a question about the residency of a person is about.
RESIDENCY = "residency"


class AskedReview(NamedTuple):
    """A question about one person, or about two records; the other one has the higher id."""

    person_id: int
    review: Review
    other_person_id: int | None = None


def open_reviews(connection: Connection, asked: Sequence[AskedReview], *, now: datetime) -> None:
    """Ask people to decide; the same question is asked once, with the newest detail, and not after it was decided.

    A decision about residency is evidence: whether to ask again follows from it and from what came since.
    """
    for some in _rounds(asked):
        _open(connection, some, now=now, once=False)


def open_reviews_once(connection: Connection, asked: Sequence[AskedReview], *, now: datetime) -> None:
    """The same, but for the very questions that have been asked before, whatever was answered."""
    for some in _rounds(asked):
        _open(connection, some, now=now, once=True)


def _rounds(asked: Sequence[AskedReview]) -> list[list[AskedReview]]:
    """As if one came after the other: a statement may touch a question once, its second detail is for the next."""
    rounds: list[list[AskedReview]] = []
    times: Counter[tuple[int, str, int | None]] = Counter()
    for one in asked:
        question = one.person_id, one.review.about, one.other_person_id
        if times[question] == len(rounds):
            rounds.append([])
        rounds[times[question]].append(one)
        times[question] += 1
    return rounds


def _open(connection: Connection, asked: Sequence[AskedReview], *, now: datetime, once: bool) -> None:
    shape: Columns = {
        "position": BigInteger,
        "person_id": BigInteger,
        "other_person_id": BigInteger,
        "about": Text,
        "detail": Text,
    }
    values: dict[str, Sequence[Any]] = {
        "position": range(len(asked)),
        "person_id": [one.person_id for one in asked],
        "other_person_id": [one.other_person_id for one in asked],
        "about": [one.review.about for one in asked],
        "detail": [one.review.detail for one in asked],
    }
    rows = staged(connection, "asked", shape, values)
    said = [name for name in shape if name != "position"]
    new = select(*(rows.c[name] for name in said), literal(now, DateTime(timezone=True)))
    new = new.where(~_asked_before(rows, once=once)).order_by(rows.c.position)
    statement = insert_or_update(ReviewRow).from_select([*said, "opened_at"], new)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ReviewRow.person_id, ReviewRow.about, ReviewRow.other_person_id],
            index_where=ReviewRow.closed_at.is_(None),
            set_={"detail": statement.excluded.detail},
        )
    )


def _asked_before(rows: FromClause, *, once: bool) -> Any:
    same = (
        ReviewRow.person_id == rows.c.person_id,
        ReviewRow.other_person_id.is_not_distinct_from(rows.c.other_person_id),
        ReviewRow.about == rows.c.about,
        ReviewRow.detail == rows.c.detail,
    )
    decided = () if once else (ReviewRow.closed_by.is_not(None), ReviewRow.about != RESIDENCY)
    return exists(select(1).where(*same, *decided).correlate(rows))


def open_review(connection: Connection, review: Review, *, person_id: int, now: datetime) -> None:
    """Ask a person to decide; the same question is asked once, with the newest detail."""
    open_reviews(connection, [AskedReview(person_id, review)], now=now)


def open_review_once(connection: Connection, review: Review, *, person_id: int, now: datetime) -> None:
    """The same, unless this very question has been asked before, whatever was answered."""
    open_reviews_once(connection, [AskedReview(person_id, review)], now=now)


def close_answered(connection: Connection, people: Sequence[int], *, about: str, at: datetime) -> None:
    """Newer evidence has answered the question about these people; nobody has decided it."""
    if people:
        open_ones = ReviewRow.person_id == func.any(list(people)), ReviewRow.closed_at.is_(None)
        connection.execute(update(ReviewRow).where(*open_ones, ReviewRow.about == about).values(closed_at=at))
