"""Late loads: rows that reach the people's records long after they came, because a person had to decide first."""

from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from enrollment_crm.storage.models import BatchRow, EventRow, InboxRow, InterestRow


def turn_late_people(connection: Connection, batch_id: int, *, at: datetime) -> None:
    """Make the load of a replayed or released batch a turn of its people (R6): the newest point they missed goes out.

    They count as there since their row came (R5), but the sweeps of that time have passed. Any other batch is loaded
    within the hour that a sweep looks back, and needs no turn.
    """
    late = or_(BatchRow.is_replay, BatchRow.decided_at.is_not(None))
    if connection.execute(select(1).where(BatchRow.id == batch_id, late)).first() is None:
        return
    theirs = (
        select(EventRow.person_id).join(InboxRow, InboxRow.id == EventRow.inbox_id).where(InboxRow.batch_id == batch_id)
    )
    waiting = (InterestRow.person_id.in_(theirs), InterestRow.changed_at < at)
    connection.execute(update(InterestRow).where(*waiting).values(changed_at=at))
