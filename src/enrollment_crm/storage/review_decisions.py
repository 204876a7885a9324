"""Reviews as staff see them, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update

from enrollment_crm.storage.models import ReviewRow


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


def answer_pair(
    connection: Connection, ids: Sequence[int], *, about: str, by: str, decision: str, at: datetime
) -> bool:
    """Close the question whether two records are one person; False: nobody had asked it."""
    theirs = (ReviewRow.person_id == min(ids)) & (ReviewRow.other_person_id == max(ids)) & (ReviewRow.about == about)
    closed = {"closed_at": at, "closed_by": by, "decision": decision}
    statement = update(ReviewRow).where(theirs, ReviewRow.closed_at.is_(None)).values(closed)
    return bool(connection.execute(statement).rowcount)


def remember_pair(
    connection: Connection, ids: Sequence[int], *, about: str, detail: str, by: str, decision: str, at: datetime
) -> None:
    """Keep what was decided of two records, also where nobody had asked: so that nobody will."""
    if not answer_pair(connection, ids, about=about, by=by, decision=decision, at=at):
        asked = {"person_id": min(ids), "other_person_id": max(ids), "about": about, "detail": detail, "opened_at": at}
        closed = {"closed_at": at, "closed_by": by, "decision": decision}
        connection.execute(insert(ReviewRow).values({**asked, **closed}))


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
