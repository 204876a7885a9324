"""What only a person can decide of the calendar: opened once, until it is decided or no source says it any more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from enrollment_crm.domain.calendar_sync import Question
from enrollment_crm.storage.models import CalendarReviewRow

#: Who closes a review that no source gives reason for any more.
READING = "reading"


@dataclass(frozen=True)
class CalendarReview:
    """A listing that waits for a person."""

    id: int
    program: str
    about: str
    listing: str
    words: str
    opened_at: datetime


def open_calendar_reviews(connection: Connection) -> list[CalendarReview]:
    """Everything that waits for a person, oldest first."""
    columns = [CalendarReviewRow.__table__.c[name] for name in CalendarReview.__dataclass_fields__]
    statement = select(*columns).where(CalendarReviewRow.closed_at.is_(None)).order_by(CalendarReviewRow.id)
    return [CalendarReview(**row._mapping) for row in connection.execute(statement)]


def ask(connection: Connection, questions: Iterable[Question], *, now: datetime) -> int:
    """Open a review for each question that is not known; give their number.

    One that waits gets the newest words. One that a person decided stays closed, as long as sources go on saying it.
    """
    rows = {
        (one.program, one.held.reason.value, one.held.listing): {
            "program": one.program,
            "about": one.held.reason.value,
            "listing": one.held.listing,
            "words": one.held.words,
            "opened_at": now,
        }
        for one in questions
    }
    if not rows:
        return 0
    row, again = CalendarReviewRow, CalendarReviewRow.gone_at.is_not(None)
    insert = insert_or_update(row)
    statement = insert.on_conflict_do_update(
        index_elements=["program", "about", "listing"],
        set_={
            "words": insert.excluded.words,
            "opened_at": case((again, insert.excluded.opened_at), else_=row.opened_at),
            "closed_at": case((again, None), else_=row.closed_at),
            "closed_by": case((again, None), else_=row.closed_by),
            "gone_at": None,
        },
    ).returning(row.opened_at)
    return sum(opened == now for opened in connection.execute(statement, list(rows.values())).scalars())


def close_what_is_gone(
    connection: Connection, programs: Sequence[str], questions: Iterable[Question], *, now: datetime
) -> int:
    """Close the reviews of these programs that are asked no more; give the number of those that were open.

    Args:
        programs: those whose sources were all read to their end.
    """
    row = CalendarReviewRow
    asked = [(one.program, one.held.reason.value, one.held.listing) for one in questions]
    gone = update(row).where(
        row.program.in_(programs), row.gone_at.is_(None), tuple_(row.program, row.about, row.listing).not_in(asked)
    )
    closed = connection.execute(
        gone.where(row.closed_at.is_(None)).values(closed_at=now, closed_by=READING, gone_at=now)
    ).rowcount
    connection.execute(gone.values(gone_at=now))
    return closed


def close_calendar_review(connection: Connection, review_id: int, *, by: str, decision: str, now: datetime) -> bool:
    """Close a review with what was decided; False where it is unknown or closed already."""
    statement = update(CalendarReviewRow).where(
        CalendarReviewRow.id == review_id, CalendarReviewRow.closed_at.is_(None)
    )
    return connection.execute(statement.values(closed_at=now, closed_by=by, decision=decision)).rowcount == 1
