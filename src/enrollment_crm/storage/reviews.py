"""Reviews: what only a person can decide, asked once, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.routing import Review
from enrollment_crm.storage.models import ReviewRow

#: What a question about the residency of a person is about.
RESIDENCY = "residency"


@dataclass(frozen=True)
class KnownReview:
    """A question, and what was decided where it is closed. pii: the detail."""

    id: int
    person_id: int
    other_person_id: int | None
    about: str
    detail: str
    opened_at: datetime
    closed_at: datetime | None
    #: Who decided; None of a closed one: newer evidence answered it.
    closed_by: str | None
    decision: str | None


def open_review_once(connection: Connection, review: Review, *, person_id: int, now: datetime) -> None:
    """Ask a person to decide, unless this very question has been asked before, whatever was answered."""
    asked = select(ReviewRow.id).where(
        ReviewRow.person_id == person_id, ReviewRow.about == review.about, ReviewRow.detail == review.detail
    )
    if connection.execute(asked.limit(1)).first() is None:
        open_review(connection, review, person_id=person_id, now=now)


def open_review(
    connection: Connection, review: Review, *, person_id: int, now: datetime, other_person_id: int | None = None
) -> None:
    """Ask a person to decide; the same question is asked once, with the newest detail, and not after it was decided.

    A decision about residency is evidence: whether to ask again follows from it and from what came since.
    """
    decided = select(ReviewRow.id).where(
        ReviewRow.person_id == person_id,
        ReviewRow.about == review.about,
        ReviewRow.other_person_id.is_not_distinct_from(other_person_id),
        ReviewRow.detail == review.detail,
        ReviewRow.closed_by.is_not(None),
        ReviewRow.about != RESIDENCY,
    )
    if connection.execute(decided.limit(1)).first() is not None:
        return
    statement = insert_or_update(ReviewRow).values(
        person_id=person_id,
        other_person_id=other_person_id,
        about=review.about,
        detail=review.detail,
        opened_at=now,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ReviewRow.person_id, ReviewRow.about, ReviewRow.other_person_id],
            index_where=ReviewRow.closed_at.is_(None),
            set_={"detail": statement.excluded.detail},
        )
    )


def reviews_where(
    connection: Connection, *, about: str | None = None, person_id: int | None = None, closed: bool = False
) -> list[KnownReview]:
    """Questions in the order in which they were asked: open ones, or the closed ones too."""
    row = ReviewRow.__table__.c
    statement = select(*(row[name] for name in KnownReview.__dataclass_fields__)).order_by(row.opened_at, row.id)
    if about is not None:
        statement = statement.where(row.about == about)
    if person_id is not None:
        statement = statement.where(or_(row.person_id == person_id, row.other_person_id == person_id))
    if not closed:
        statement = statement.where(row.closed_at.is_(None))
    return [KnownReview(*one) for one in connection.execute(statement)]


def review_of(connection: Connection, review_id: int) -> KnownReview | None:
    """One question, locked for this transaction; None: there is none of this id."""
    row = ReviewRow.__table__.c
    statement = select(*(row[name] for name in KnownReview.__dataclass_fields__)).where(row.id == review_id)
    found = connection.execute(statement.with_for_update()).first()
    return KnownReview(*found) if found else None


def close_review(connection: Connection, review_id: int, *, by: str, decision: str, at: datetime) -> None:
    """Keep what was decided, and by whom."""
    statement = update(ReviewRow).where(ReviewRow.id == review_id, ReviewRow.closed_at.is_(None))
    connection.execute(statement.values(closed_at=at, closed_by=by, decision=decision))


def close_answered(connection: Connection, *, person_id: int, about: str, at: datetime) -> None:
    """Newer evidence has answered the question; nobody has decided it."""
    open_ones = (ReviewRow.person_id == person_id) & (ReviewRow.about == about) & ReviewRow.closed_at.is_(None)
    connection.execute(update(ReviewRow).where(open_ones).values(closed_at=at))


def decide_pair(
    connection: Connection, ids: Sequence[int], *, about: str, detail: str, by: str, decision: str, at: datetime
) -> None:
    """Close the question whether two records are one person; asked now, where nobody had asked it."""
    person_id, other = min(ids), max(ids)
    theirs = (ReviewRow.person_id == person_id) & (ReviewRow.other_person_id == other) & (ReviewRow.about == about)
    closed = {"closed_at": at, "closed_by": by, "decision": decision}
    waiting = update(ReviewRow).where(theirs, ReviewRow.closed_at.is_(None)).values(closed)
    if connection.execute(waiting).rowcount == 0:
        asked = {"person_id": person_id, "other_person_id": other, "about": about, "detail": detail, "opened_at": at}
        connection.execute(insert_or_update(ReviewRow).values({**asked, **closed}))


def move_reviews(connection: Connection, *, gone: int, stays: int, at: datetime) -> None:
    """What waits for an answer about a record that was merged away is about the person; asked of both, it is one."""
    theirs = (ReviewRow.person_id == gone) & ReviewRow.other_person_id.is_(None) & ReviewRow.closed_at.is_(None)
    mine = select(ReviewRow.about).where(
        ReviewRow.person_id == stays, ReviewRow.other_person_id.is_(None), ReviewRow.closed_at.is_(None)
    )
    connection.execute(update(ReviewRow).where(theirs, ReviewRow.about.in_(mine)).values(closed_at=at))
    connection.execute(update(ReviewRow).where(theirs).values(person_id=stays))
    either = or_(ReviewRow.person_id == gone, ReviewRow.other_person_id == gone)
    pairs = ReviewRow.other_person_id.is_not(None) & ReviewRow.closed_at.is_(None)
    connection.execute(update(ReviewRow).where(either, pairs).values(closed_at=at))


def count_open(connection: Connection) -> dict[str, int]:
    """How many questions wait, by what they are about."""
    statement = select(ReviewRow.about, func.count()).where(ReviewRow.closed_at.is_(None)).group_by(ReviewRow.about)
    return {row[0]: row[1] for row in connection.execute(statement.order_by(ReviewRow.about))}
