"""Reviews: what only a person can decide, asked in sets and each question once."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, DateTime, FromClause, Text, exists, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.routing import Review
from enrollment_crm.storage.copying import staged
from enrollment_crm.storage.models import ReviewRow


class AskedReview(NamedTuple):
    """A question about one person."""

    person_id: int
    review: Review


def open_reviews(connection: Connection, asked: Sequence[AskedReview], *, now: datetime) -> None:
    """Ask people to decide; the same question is asked once, with the newest detail."""
    for some in _rounds(asked):
        _open(connection, some, now=now, once=False)


def open_reviews_once(connection: Connection, asked: Sequence[AskedReview], *, now: datetime) -> None:
    """The same, but for the very questions that have been asked before, whatever was answered."""
    for some in _rounds(asked):
        _open(connection, some, now=now, once=True)


def _rounds(asked: Sequence[AskedReview]) -> list[list[AskedReview]]:
    """As if one came after the other: a statement may touch a question once, its second detail is for the next."""
    rounds: list[list[AskedReview]] = []
    times: Counter[tuple[int, str]] = Counter()
    for one in asked:
        question = one.person_id, one.review.about
        if times[question] == len(rounds):
            rounds.append([])
        rounds[times[question]].append(one)
        times[question] += 1
    return rounds


def _open(connection: Connection, asked: Sequence[AskedReview], *, now: datetime, once: bool) -> None:
    shape = {"person_id": BigInteger, "about": Text, "detail": Text}
    values: dict[str, list[Any]] = {
        "person_id": [one.person_id for one in asked],
        "about": [one.review.about for one in asked],
        "detail": [one.review.detail for one in asked],
    }
    rows = staged(connection, "asked", shape, values)
    new = select(rows.c.person_id, rows.c.about, rows.c.detail, literal(now, DateTime(timezone=True)))
    if once:
        new = new.where(~_asked_before(rows))
    statement = insert_or_update(ReviewRow).from_select([*shape, "opened_at"], new)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ReviewRow.person_id, ReviewRow.about],
            index_where=ReviewRow.closed_at.is_(None),
            set_={"detail": statement.excluded.detail},
        )
    )


def _asked_before(rows: FromClause) -> Any:
    same = (
        ReviewRow.person_id == rows.c.person_id,
        ReviewRow.about == rows.c.about,
        ReviewRow.detail == rows.c.detail,
    )
    return exists(select(1).where(*same).correlate(rows))


def open_review(connection: Connection, review: Review, *, person_id: int, now: datetime) -> None:
    """Ask a person to decide; the same question is asked once, with the newest detail."""
    open_reviews(connection, [AskedReview(person_id, review)], now=now)


def open_review_once(connection: Connection, review: Review, *, person_id: int, now: datetime) -> None:
    """The same, unless this very question has been asked before, whatever was answered."""
    open_reviews_once(connection, [AskedReview(person_id, review)], now=now)
